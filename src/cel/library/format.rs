//! Named formats of Kubernetes.

use super::super::types::format::FORMATS;
use super::super::value::Value;
use super::{Function, function, method, refused};

macro_rules! constants {
    ($($long:literal $index:literal),*) => {
        pub(super) const FUNCTIONS: &[Function] = &[
            $(function($long, 0..=0, |_, _| Ok(Value::Format(&FORMATS[$index]))),)*
            function("format.named", 1..=1, |_, it| match it {
                [Value::String(name)] => {
                    let known = FORMATS.iter().find(|format| format.name == &**name);
                    Ok(known.map_or(Value::Optional(None), |format| Value::Format(format).some()))
                }
                _ => refused(it),
            }),
            method("validate", 1..=1, |meter, it| match it {
                [Value::Format(format), Value::String(text)] => {
                    meter.charge(text.len() as u64)?;
                    Ok(match format.fault(text) {
                        None => Value::Optional(None),
                        Some(fault) => Value::from(vec![Value::from(fault)]).some(),
                    })
                }
                _ => refused(it),
            }),
        ];
    };
}

constants!(
    "format.dns1123Label" 0, "format.dns1123Subdomain" 1, "format.dns1035Label" 2, "format.qualifiedName" 3,
    "format.dns1123LabelPrefix" 4, "format.dns1123SubdomainPrefix" 5, "format.dns1035LabelPrefix" 6,
    "format.labelValue" 7, "format.uri" 8, "format.uuid" 9, "format.byte" 10, "format.date" 11, "format.datetime" 12
);
