//! Kinds of machines that there are no filters of system calls for.

fn missing() -> Result<(), String> {
    Err(format!("there is no filter for {}", std::env::consts::ARCH))
}

pub(super) fn refuse() -> Result<(), String> {
    missing()
}

pub(super) fn start_nothing() -> Result<(), String> {
    missing()
}

pub(super) fn only_evaluate() -> Result<(), String> {
    missing()
}
