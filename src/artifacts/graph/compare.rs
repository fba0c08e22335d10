//! Two pictures as one, in which everything has a mark; and the two sides of that.

use super::{
    ClusterView, End, EndKind, Graph, GroupView, Line, Mark, Place, RangeView, RuleView, StepView, SubnetView, TableView,
    VpcView, Way,
};

/// Something in a picture that can be new, gone, or have something new or gone in it.
trait Drawn: Clone {
    /// Whether two are the same thing, on both sides.
    fn is(&self, other: &Self) -> bool;
    /// Where its mark is.
    fn mark(&mut self) -> &mut Mark;
    /// Takes over what was in it before; returns whether that differs.
    fn take(&mut self, _before: &Self) -> bool {
        false
    }
    /// Drops what is in it and has this mark.
    fn lose(&mut self, _mark: Mark) {}
}

impl Graph {
    /// This picture with everything of `before` in it that is gone, and marks. A network of another kind is drawn as a new one.
    #[must_use]
    pub fn compared_with(mut self, before: &Graph) -> Self {
        merge(&mut self.network, &before.network);
        match (&mut self.place, &before.place) {
            (Place::Vpc(after), Place::Vpc(before)) => after.take(before),
            (Place::Premises(after), Place::Premises(before)) => drop(merge(after, before)),
            (place, _) => place.mark(Mark::Added),
        }
        match (&mut self.cluster, &before.cluster) {
            (Some(after), Some(before)) if after.name == before.name => after.take(before),
            (Some(after), _) => after.mark(Mark::Added),
            (None, _) => {}
        }
        self
    }

    /// This picture with everything in it new or gone.
    #[must_use]
    pub fn marked(mut self, mark: Mark) -> Self {
        self.place.mark(mark);
        self.cluster.iter_mut().for_each(|cluster| cluster.mark(mark));
        self
    }

    /// Everything that has a mark, as lines with their signs: what two comparisons have in common whose things change alike.
    #[must_use]
    pub fn marks(&self) -> Vec<String> {
        let text = super::dot::write(self);
        let signed = |text: &&str| [Mark::Added, Mark::Removed].iter().any(|mark| text.starts_with(mark.sign()));
        let labels = text.split('"').skip(1).step_by(2).flat_map(|label| label.split("\\n"));
        labels.filter(signed).map(ToOwned::to_owned).collect()
    }

    /// This picture without what has a mark: without `Added` as it was before, without `Removed` as it is.
    #[must_use]
    pub fn without(mut self, mark: Mark) -> Self {
        retain(&mut self.network, mark);
        match &mut self.place {
            Place::Vpc(view) => view.lose(mark),
            Place::Premises(ranges) => drop(retain(ranges, mark)),
        }
        if let Some(cluster) = &mut self.cluster {
            for lines in cluster.lines() {
                retain(lines, mark);
            }
            retain(&mut cluster.dns, mark);
            retain(&mut cluster.groups, mark);
        }
        self
    }
}

/// Puts both sides into one list, in the order of the newer one, what is gone behind what it stood behind. Returns the places of
/// the older side's items.
fn merge<T: Drawn>(after: &mut Vec<T>, before: &[T]) -> Vec<usize> {
    for item in after.iter_mut() {
        match before.iter().find(|old| old.is(item)) {
            None => *item.mark() = Mark::Added,
            Some(old) => {
                if item.take(old) {
                    *item.mark() = Mark::Changed;
                }
            }
        }
    }
    let mut behind = 0;
    for old in before {
        behind = match after.iter().position(|item| item.is(old)) {
            Some(at) => at + 1,
            None => {
                let mut gone = old.clone();
                *gone.mark() = Mark::Removed;
                after.insert(behind, gone);
                behind + 1
            }
        };
    }
    before.iter().map(|old| after.iter().position(|item| item.is(old)).unwrap_or_default()).collect()
}

/// Puts both sides into one list, and says whether they differ.
fn differ<T: Drawn>(after: &mut Vec<T>, before: &[T]) -> bool {
    merge(after, before);
    after.iter_mut().any(|item| *item.mark() != Mark::Same)
}

/// Drops what has a mark; returns the new places of what is left.
fn retain<T: Drawn>(items: &mut Vec<T>, mark: Mark) -> Vec<Option<usize>> {
    let mut next = 0;
    let places = items.iter_mut().map(|item| {
        let stays = *item.mark() != mark;
        item.lose(mark);
        next += usize::from(stays);
        stays.then(|| next - 1)
    });
    let places: Vec<_> = places.collect();
    items.retain_mut(|item| *item.mark() != mark);
    places
}

fn mark_all<T: Drawn>(items: &mut [T], mark: Mark) {
    items.iter_mut().for_each(|item| *item.mark() = mark);
}

impl Place {
    fn mark(&mut self, mark: Mark) {
        match self {
            Place::Premises(ranges) => mark_all(ranges, mark),
            Place::Vpc(view) => {
                for lines in [&mut view.id, &mut view.ranges, &mut view.zones, &mut view.endpoints] {
                    mark_all(lines, mark);
                }
                mark_all(&mut view.ends, mark);
                mark_all(&mut view.subnets, mark);
                mark_all(&mut view.tables, mark);
                mark_all(&mut view.ways, mark);
            }
        }
    }
}

impl VpcView {
    fn take(&mut self, before: &VpcView) {
        merge(&mut self.id, &before.id);
        merge(&mut self.ranges, &before.ranges);
        merge(&mut self.endpoints, &before.endpoints);
        merge(&mut self.tables, &before.tables);
        // What points to places in other lists points to those of the merged lists before it is compared.
        let mut old = before.clone();
        let here: Vec<Line> = self.zones.clone();
        let places = merge(&mut self.zones, &before.zones);
        let now = |zone: usize, zones: &[Line]| here.get(zone).and_then(|line| zones.iter().position(|one| one.is(line)));
        self.subnets.iter_mut().for_each(|subnet| subnet.zone = now(subnet.zone, &self.zones).unwrap_or_default());
        old.subnets.iter_mut().for_each(|subnet| subnet.zone = places.get(subnet.zone).copied().unwrap_or_default());
        let here = self.subnets.clone();
        let of_old = merge(&mut self.subnets, &old.subnets);
        let of_new = places_of(&here, &self.subnets);
        self.ends.iter_mut().for_each(|end| end.move_to(&of_new));
        old.ends.iter_mut().for_each(|end| end.move_to(&of_old));
        let here = self.ends.clone();
        let ends_of_old = merge(&mut self.ends, &old.ends);
        let ends_of_new = places_of(&here, &self.ends);
        self.ways.iter_mut().for_each(|way| way.move_to(&of_new, &ends_of_new));
        old.ways.iter_mut().for_each(|way| way.move_to(&of_old, &ends_of_old));
        merge(&mut self.ways, &old.ways);
    }

    fn lose(&mut self, mark: Mark) {
        for lines in [&mut self.id, &mut self.ranges, &mut self.endpoints] {
            retain(lines, mark);
        }
        retain(&mut self.tables, mark);
        retain(&mut self.ways, mark);
        let zones = retain(&mut self.zones, mark);
        let subnets = retain(&mut self.subnets, mark);
        let ends = retain(&mut self.ends, mark);
        let place = |places: &[Option<usize>], at: usize| places.get(at).copied().flatten();
        self.subnets.iter_mut().for_each(|subnet| subnet.zone = place(&zones, subnet.zone).unwrap_or_default());
        for end in &mut self.ends {
            if let EndKind::Nat(subnet) = &mut end.kind {
                *subnet = place(&subnets, *subnet).unwrap_or_default();
            }
        }
        self.ways.retain_mut(|way| {
            let places = place(&subnets, way.subnet).zip(place(&ends, way.end));
            (way.subnet, way.end) = places.unwrap_or_default();
            places.is_some()
        });
    }
}

/// The places in `merged` of what it was merged from.
fn places_of<T: Drawn>(items: &[T], merged: &[T]) -> Vec<usize> {
    items.iter().map(|item| merged.iter().position(|one| one.is(item)).unwrap_or_default()).collect()
}

impl ClusterView {
    fn lines(&mut self) -> [&mut Vec<Line>; 4] {
        [&mut self.pods, &mut self.services, &mut self.provider, &mut self.encapsulation]
    }

    fn mark(&mut self, mark: Mark) {
        self.mark = mark;
        self.lines().into_iter().for_each(|lines| mark_all(lines, mark));
        mark_all(&mut self.dns, mark);
        mark_all(&mut self.groups, mark);
        self.groups.iter_mut().for_each(|group| mark_all(&mut group.rules, mark));
    }

    fn take(&mut self, before: &ClusterView) {
        let mut old = before.clone();
        self.lines().into_iter().zip(old.lines()).for_each(|(lines, old)| drop(merge(lines, old)));
        merge(&mut self.dns, &before.dns);
        merge(&mut self.groups, &before.groups);
    }
}

impl End {
    fn move_to(&mut self, subnets: &[usize]) {
        if let EndKind::Nat(subnet) = &mut self.kind {
            *subnet = subnets.get(*subnet).copied().unwrap_or_default();
        }
    }
}

impl Way {
    fn move_to(&mut self, subnets: &[usize], ends: &[usize]) {
        self.subnet = subnets.get(self.subnet).copied().unwrap_or_default();
        self.end = ends.get(self.end).copied().unwrap_or_default();
    }
}

impl Drawn for Line {
    fn is(&self, other: &Self) -> bool {
        self.text == other.text
    }
    fn mark(&mut self) -> &mut Mark {
        &mut self.mark
    }
}

impl Drawn for RangeView {
    fn is(&self, other: &Self) -> bool {
        self.what == other.what && self.range.is(&other.range)
    }
    fn mark(&mut self) -> &mut Mark {
        &mut self.range.mark
    }
}

impl Drawn for End {
    fn is(&self, other: &Self) -> bool {
        self.kind == other.kind
            && (self.kind != EndKind::Outside
                || self.lines.first().map(|line| &line.text) == other.lines.first().map(|line| &line.text))
    }
    fn mark(&mut self) -> &mut Mark {
        &mut self.mark
    }
    fn take(&mut self, before: &Self) -> bool {
        differ(&mut self.lines, &before.lines)
    }
    fn lose(&mut self, mark: Mark) {
        retain(&mut self.lines, mark);
    }
}

impl Drawn for SubnetView {
    fn is(&self, other: &Self) -> bool {
        self.name == other.name && self.zone == other.zone
    }
    fn mark(&mut self) -> &mut Mark {
        &mut self.mark
    }
    fn take(&mut self, before: &Self) -> bool {
        differ(&mut self.details, &before.details)
    }
    fn lose(&mut self, mark: Mark) {
        retain(&mut self.details, mark);
    }
}

impl Drawn for TableView {
    fn is(&self, other: &Self) -> bool {
        self.name == other.name
    }
    fn mark(&mut self) -> &mut Mark {
        &mut self.mark
    }
    fn take(&mut self, before: &Self) -> bool {
        differ(&mut self.subnets, &before.subnets) | differ(&mut self.routes, &before.routes)
    }
    fn lose(&mut self, mark: Mark) {
        retain(&mut self.subnets, mark);
        retain(&mut self.routes, mark);
    }
}

impl Drawn for Way {
    fn is(&self, other: &Self) -> bool {
        (self.subnet, self.end, &self.destination) == (other.subnet, other.end, &other.destination)
    }
    fn mark(&mut self) -> &mut Mark {
        &mut self.mark
    }
}

impl Drawn for StepView {
    fn is(&self, other: &Self) -> bool {
        self.title == other.title
    }
    fn mark(&mut self) -> &mut Mark {
        &mut self.mark
    }
    fn take(&mut self, before: &Self) -> bool {
        differ(&mut self.details, &before.details)
    }
    fn lose(&mut self, mark: Mark) {
        retain(&mut self.details, mark);
    }
}

impl Drawn for GroupView {
    fn is(&self, other: &Self) -> bool {
        self.title == other.title
    }
    fn mark(&mut self) -> &mut Mark {
        &mut self.mark
    }
    fn take(&mut self, before: &Self) -> bool {
        differ(&mut self.rules, &before.rules)
    }
    fn lose(&mut self, mark: Mark) {
        retain(&mut self.rules, mark);
    }
}

impl Drawn for RuleView {
    fn is(&self, other: &Self) -> bool {
        (&self.protocol, &self.from, &self.name) == (&other.protocol, &other.from, &other.name)
    }
    fn mark(&mut self) -> &mut Mark {
        &mut self.mark
    }
}
