//! What evaluations may cost.

use std::cell::Cell;

use tree::limits;

/// What evaluations may still cost: those on one object, and all of one unit.
#[derive(Debug)]
pub struct Meter {
    object: Cell<u64>,
    unit: Cell<u64>,
}

impl Default for Meter {
    fn default() -> Self {
        Self { object: Cell::new(limits::POLICY_STEPS), unit: Cell::new(limits::POLICY_UNIT_STEPS) }
    }
}

impl Meter {
    /// Begins with another object.
    pub fn restart(&self) {
        self.object.set(limits::POLICY_STEPS);
    }

    /// Whether the unit's budget is spent.
    pub fn is_spent(&self) -> bool {
        self.unit.get() == 0
    }

    /// Whether nothing more can be evaluated on this object.
    pub(super) fn is_out(&self) -> bool {
        self.object.get() == 0 || self.unit.get() == 0
    }

    /// The steps that are left for this object.
    pub(super) fn left(&self) -> u64 {
        self.object.get().min(self.unit.get())
    }

    /// Takes `steps` from what is left.
    ///
    /// # Errors
    /// When that is not enough.
    pub fn charge(&self, steps: u64) -> Result<(), String> {
        let taken = steps.min(self.object.get()).min(self.unit.get());
        let enough = taken == steps;
        self.object.set(self.object.get() - taken);
        self.unit.set(self.unit.get() - taken);
        if enough {
            return Ok(());
        }
        let (whose, limit) = match self.unit.get() {
            0 => ("the policies of one cluster or network", limits::POLICY_UNIT_STEPS),
            _ => ("a policy on one object", limits::POLICY_STEPS),
        };
        Err(format!("it costs more than the {limit} steps that {whose} may take"))
    }
}
