//! The locks that a transaction piles up: which relation, in which mode, from which statement to which.
//!
//! PostgreSQL gives a table lock back when the transaction ends, or when it goes back to a savepoint from before the
//! lock; so the lock of one statement is in force while all later ones run. A statement outside of a transaction keeps
//! its locks until it ends, and so do the commands that refuse a transaction (`CONCURRENTLY`, `VACUUM`).

use std::collections::BTreeMap;
use std::ops::Range;

use crate::diagnostic::Certainty;
use crate::effect::{LockMode, RelationKind};
use crate::layout::History;
use crate::replay::Step;
use crate::session::TransactionKind;
use crate::statement::{Kind, ObjectKind, QualifiedName, Transaction as Control};

/// One transaction, or one statement outside of any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Footprint {
    /// Who opened the transaction.
    pub kind: TransactionKind,
    /// Its steps, as indices into the replay's.
    pub steps: Range<usize>,
    /// Its locks in the order in which they are taken. A relation that is locked again in a stronger mode has several.
    pub holds: Vec<Hold>,
    /// How it ends.
    pub end: End,
    /// It is a transaction that the tool makes for a whole run; an autocommit block in between divides it.
    pub run: bool,
}

/// A lock and the time it is held for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The relation, by its name when it was locked.
    pub relation: QualifiedName,
    /// Its kind.
    pub kind: RelationKind,
    /// The mode.
    pub lock: LockMode,
    /// How sure it is that the lock is taken.
    pub certainty: Certainty,
    /// The relation is new in the same change: nobody waits for it.
    pub fresh: bool,
    /// The first step that runs under it: the one that takes it.
    pub since: usize,
    /// Behind the last step that runs under it.
    pub until: usize,
    /// What gives it back.
    pub release: Release,
    /// Names that the relation gets while it is locked, with the step that gives them.
    names: Vec<(usize, QualifiedName)>,
}

impl Hold {
    /// The relation's name at a step.
    #[must_use]
    pub fn name_at(&self, step: usize) -> &QualifiedName {
        self.names
            .iter()
            .rev()
            .find(|(since, _)| *since < step)
            .map_or(&self.relation, |(_, name)| name)
    }

    /// True if the lock was taken by an earlier step and is in force while that one runs.
    #[must_use]
    pub fn covers(&self, step: usize) -> bool {
        self.since < step && step < self.until
    }
}

/// What gives a lock back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// The end of the transaction, however that comes about: see [`Footprint::end`].
    End,
    /// `ROLLBACK TO SAVEPOINT`, at that step.
    Savepoint(usize),
    /// `COMMIT` or `ROLLBACK` in a `DO` block, at that step.
    Block(usize),
}

/// How a transaction ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// There is none: the statement commits by itself.
    Statement,
    /// `COMMIT` in the file, at that step.
    Commit(usize),
    /// `ROLLBACK` in the file, at that step.
    Rollback(usize),
    /// `PREPARE TRANSACTION` at that step: its locks stay until `COMMIT PREPARED`, wherever that is.
    Prepared(usize),
    /// The tool commits: behind the script, or before what it runs outside of its transaction.
    Tool,
    /// The tool commits behind the last script of the run.
    Run,
    /// The message ends.
    Message,
    /// The file has no `COMMIT` for its `BEGIN`.
    Open,
}

/// A lock that is in force at a statement, with the statement that took it: the answer to a rule's question.
#[derive(Debug, Clone, Copy)]
pub struct Held<'a> {
    /// The relation, as it is named at the statement that is asked about.
    pub relation: &'a QualifiedName,
    /// Its kind.
    pub kind: RelationKind,
    /// The strongest mode.
    pub lock: LockMode,
    /// How sure that is.
    pub certainty: Certainty,
    /// The statement that took it in that mode; with a run in one transaction, perhaps of an earlier migration.
    pub since: &'a Step<'a>,
}

/// The transactions of all steps, in order.
#[must_use]
pub fn footprints(history: &History, steps: &[Step<'_>]) -> Vec<Footprint> {
    let mut footprints = Vec::new();
    let mut first = 0;
    for next in 1..=steps.len() {
        if next < steps.len() && steps[next - 1].at().goes_on(&steps[next].at(), history) {
            continue;
        }
        footprints.push(footprint(history, steps, first..next));
        first = next;
    }
    footprints
}

/// What the step does to its transaction, if it ends it.
fn ending(step: &Step<'_>) -> Option<fn(usize) -> End> {
    match &step.statement.kind {
        // A transaction that the caller began cannot be ended from inside of a block.
        _ if step.is_nested() => None,
        Kind::Transaction(Control::Commit { .. }) => Some(End::Commit),
        Kind::Transaction(Control::Rollback { .. }) => Some(End::Rollback),
        Kind::Transaction(Control::Prepare) => Some(End::Prepared),
        _ => None,
    }
}

fn footprint(history: &History, steps: &[Step<'_>], range: Range<usize>) -> Footprint {
    let kinds = || {
        steps[range.clone()]
            .iter()
            .map(|step| step.moment.transaction.kind)
    };
    // The `BEGIN` itself is sent outside of the transaction that it begins.
    let kind = if kinds().any(|kind| kind == TransactionKind::Explicit) {
        TransactionKind::Explicit
    } else {
        kinds().next().unwrap_or(TransactionKind::None)
    };
    let last = range.end - 1;
    let run = steps[last].at().is_in_run(history);
    let goes_on = steps
        .get(range.end)
        .is_some_and(|next| next.before.batch() == steps[last].before.batch());
    let end = match (ending(&steps[last]), kind) {
        (_, TransactionKind::None) => End::Statement,
        (Some(end), _) => end(last),
        (None, TransactionKind::Runner) if run && !goes_on => End::Run,
        (None, TransactionKind::Runner) => End::Tool,
        (None, TransactionKind::Implicit) => End::Message,
        (None, TransactionKind::Explicit) => End::Open,
    };
    let mut pile = Pile::default();
    for step in range.clone() {
        pile.step(step, &steps[step], kind);
    }
    let mut holds = pile.holds;
    for hold in &mut holds {
        hold.until = hold.until.min(range.end);
    }
    Footprint {
        kind,
        steps: range,
        holds,
        end,
        run,
    }
}

/// The locks of a transaction while it runs.
#[derive(Default)]
struct Pile {
    holds: Vec<Hold>,
    /// The strongest lock in force on each relation, by the name it has now.
    strongest: BTreeMap<QualifiedName, usize>,
    /// Savepoints that can be gone back to.
    savepoints: Vec<Savepoint>,
}

struct Savepoint {
    name: Box<str>,
    /// The step that made it.
    step: usize,
    /// Number of locks taken before.
    holds: usize,
}

impl Pile {
    fn step(&mut self, index: usize, step: &Step<'_>, kind: TransactionKind) {
        self.locks(index, step);
        match &step.statement.kind {
            Kind::Transaction(control) => self.control(index, control, step.is_nested(), kind),
            Kind::Rename(rename) if rename.part.is_none() && is_relation(rename.object) => {
                let old = step.before.resolve(&rename.relation);
                let new = QualifiedName::new(&old.schema, &rename.to.text);
                self.rename(index, &old, new);
            }
            Kind::SetSchema(set) if is_relation(set.object) => {
                let old = step.before.resolve(&set.name);
                let new = QualifiedName::new(&set.schema.text, &old.name);
                self.rename(index, &old, new);
            }
            _ => {}
        }
    }

    fn locks(&mut self, index: usize, step: &Step<'_>) {
        for effect in &step.effects.list {
            let known = self.strongest.get(&effect.relation);
            if known.is_some_and(|&known| {
                let known = &self.holds[known];
                known.lock >= effect.lock && known.certainty >= effect.certainty
            }) {
                continue;
            }
            let hold = Hold {
                relation: effect.relation.clone(),
                kind: effect.kind,
                lock: effect.lock,
                certainty: effect.certainty.min(step.certainty()),
                fresh: step.before.is_fresh(&effect.relation),
                since: index,
                until: usize::MAX,
                release: Release::End,
                names: Vec::new(),
            };
            if known.is_none_or(|&known| self.holds[known].lock <= hold.lock) {
                self.strongest
                    .insert(effect.relation.clone(), self.holds.len());
            }
            self.holds.push(hold);
        }
    }

    fn control(&mut self, index: usize, control: &Control, nested: bool, kind: TransactionKind) {
        match control {
            Control::Commit { .. } | Control::Rollback { .. }
                if nested && kind == TransactionKind::None =>
            {
                self.give_back(0, index, Release::Block(index));
            }
            Control::Savepoint(name) => self.savepoints.push(Savepoint {
                name: name.clone(),
                step: index,
                holds: self.holds.len(),
            }),
            Control::Release(name) => {
                if let Some(at) = self.find(name) {
                    self.savepoints.truncate(at);
                }
            }
            Control::RollbackTo(name) => {
                if let Some(at) = self.find(name) {
                    // The savepoint itself can be gone back to again.
                    self.savepoints.truncate(at + 1);
                    let Savepoint { step, holds, .. } = self.savepoints[at];
                    self.take_names_back(step, index);
                    self.give_back(holds, index, Release::Savepoint(index));
                }
            }
            _ => {}
        }
    }

    fn find(&self, savepoint: &str) -> Option<usize> {
        self.savepoints
            .iter()
            .rposition(|known| &*known.name == savepoint)
    }

    /// Relations are called again what they were at the step `then`.
    fn take_names_back(&mut self, then: usize, index: usize) {
        for hold in &mut self.holds {
            if hold.until == usize::MAX && hold.names.last().is_some_and(|(at, _)| *at > then) {
                let name = hold.name_at(then).clone();
                hold.names.push((index, name));
            }
        }
    }

    /// Gives back all locks but the first `kept`.
    fn give_back(&mut self, kept: usize, index: usize, release: Release) {
        for hold in &mut self.holds[kept..] {
            if hold.until == usize::MAX {
                hold.until = index + 1;
                hold.release = release;
            }
        }
        self.strongest.clear();
        for (at, hold) in self.holds.iter().enumerate() {
            if hold.until != usize::MAX {
                continue;
            }
            let strongest = self
                .strongest
                .entry(hold.name_at(index + 1).clone())
                .or_insert(at);
            if self.holds[*strongest].lock < hold.lock {
                *strongest = at;
            }
        }
    }

    fn rename(&mut self, index: usize, old: &QualifiedName, new: QualifiedName) {
        if self.strongest.remove(old).is_none() {
            return;
        }
        let mut strongest = None;
        for (at, hold) in self.holds.iter_mut().enumerate() {
            if hold.until == usize::MAX && hold.name_at(index) == old {
                hold.names.push((index, new.clone()));
                strongest = Some(at);
            }
        }
        if let Some(at) = strongest {
            self.strongest.insert(new, at);
        }
    }
}

fn is_relation(object: ObjectKind) -> bool {
    matches!(
        object,
        ObjectKind::Table
            | ObjectKind::ForeignTable
            | ObjectKind::View
            | ObjectKind::MaterializedView
            | ObjectKind::Index
            | ObjectKind::Sequence
    )
}

#[cfg(test)]
mod tests;
