//! Which properties of CloudFormation resources only a new resource can have another value of.

use super::Field;
use super::node::Step;

/// A line for each type, with its properties; see `.ci/replacing-properties`.
const TABLE: &str = include_str!("replacing.txt");

/// What is known of a type of resources.
#[derive(Debug)]
pub(super) struct Replacing {
    properties: Vec<&'static str>,
    /// Whether a resource is deleted before the one that replaces it is made.
    pub(super) deletes_first: bool,
}

/// What is known of a type; none where nothing is.
pub(super) fn replacing(of: &str) -> Option<Replacing> {
    let mut lines = TABLE
        .lines()
        .skip_while(|line| line.starts_with(' ') || line.split(' ').next().is_none_or(|name| name.trim_end_matches('!') != of));
    let first = lines.next()?;
    let words = std::iter::once(first).chain(lines.take_while(|line| line.starts_with(' '))).flat_map(str::split_whitespace);
    Some(Replacing { properties: words.skip(1).collect(), deletes_first: first.split(' ').next()?.ends_with('!') })
}

impl Replacing {
    /// Whether a change of this field replaces the resource.
    pub(super) fn always(&self, field: &Field) -> bool {
        let path = dotted(field);
        self.properties.iter().any(|property| !property.ends_with('?') && touches(&path, property))
    }

    /// Whether it does so under some conditions.
    pub(super) fn perhaps(&self, field: &Field) -> bool {
        let path = dotted(field);
        self.properties.iter().filter_map(|property| property.strip_suffix('?')).any(|property| touches(&path, property))
    }
}

/// The keys of a field below `Properties`.
fn dotted(field: &Field) -> Vec<&str> {
    let keys = field.path.0.iter().map_while(|step| match step {
        Step::Key(key) => Some(key.as_str()),
        _ => None,
    });
    let keys: Vec<&str> = keys.collect();
    match keys.split_first() {
        Some((&"Properties", rest)) => rest.to_vec(),
        _ => Vec::new(),
    }
}

/// Whether a field is the property, in it, or a mapping that holds it.
fn touches(path: &[&str], property: &str) -> bool {
    !path.is_empty() && path.iter().zip(property.split('.')).all(|(key, part)| *key == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_the_properties_of_their_lines() {
        let subnet = replacing("AWS::EC2::Subnet").unwrap();
        assert!(subnet.properties.contains(&"VpcId") && subnet.properties.contains(&"Ipv6CidrBlock?"));
        assert!(!subnet.deletes_first && replacing("AWS::EC2::SubnetRouteTableAssociation").unwrap().deletes_first);
        assert!(replacing("AWS::EC2::InternetGateway").unwrap().properties.is_empty());
        assert!(replacing("AWS::EC2::Sub").is_none() && replacing("AWS::Lambda::Function").is_none() && replacing("").is_none());
    }

    #[test]
    fn a_property_is_touched_with_what_holds_it_and_what_is_in_it() {
        let touched = |path: &[&str]| touches(path, "DnsOptions.PrivateDnsPreference");
        assert!(touched(&["DnsOptions"]) && touched(&["DnsOptions", "PrivateDnsPreference"]));
        assert!(!touched(&["DnsOptions", "DnsRecordIpType"]) && !touched(&["Dns"]) && !touched(&[]));
    }
}
