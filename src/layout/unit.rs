//! What of a script reaches the server together.

use std::ops::Range;

use super::{Piece, Runner, Send, Wraps};
use crate::statement::Statement;

/// Statements that reach the server together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Indices into the migration's statements.
    pub statements: Range<usize>,
    /// How they are sent.
    pub send: Send,
    /// The transaction that the tool makes around them.
    pub wraps: Wraps,
}

/// How a tool that sends a script as one message takes some statements out of it.
#[derive(Debug, Clone, Copy)]
pub struct SetsApart {
    /// A statement that is sent alone; what stands before it and what stands behind it are two messages.
    pub alone: fn(&Statement) -> bool,
    /// A statement by which a script takes care of its transactions itself: all of it is sent one by one then.
    pub controls: fn(&Statement) -> bool,
}

/// The units of a script: for each of its pieces, the range of its statements is given.
#[must_use]
pub fn units(
    runner: &Runner,
    pieces: &[Piece],
    ranges: &[Range<usize>],
    statements: &[Statement],
) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    for (piece, range) in pieces.iter().zip(ranges) {
        let unit = Unit {
            statements: range.clone(),
            send: piece.send.unwrap_or(runner.send),
            wraps: piece.wraps.unwrap_or(runner.wraps),
        };
        match (runner.sets_apart, piece.send) {
            (Some(sets_apart), None) => units.extend(cut(unit, sets_apart, statements)),
            _ => push(&mut units, unit),
        }
    }
    if leaves_transaction(runner, pieces, statements) {
        for unit in &mut units {
            unit.wraps = Wraps::Nothing;
        }
    }
    units
}

/// Gives the transaction around the run up, where the tool does so because one of the pending scripts leaves it.
pub fn settle_run(runner: &Runner, pending: &mut [&mut Vec<Unit>]) {
    let leaves = |units: &&mut Vec<Unit>| units.iter().any(|unit| unit.wraps == Wraps::Nothing);
    if !runner.splits_run || !pending.iter().any(leaves) {
        return;
    }
    for unit in pending.iter_mut().flat_map(|units| units.iter_mut()) {
        if unit.wraps == Wraps::Run {
            unit.wraps = Wraps::Script;
        }
    }
}

/// True if the tool leaves out its transaction around this script by itself.
#[must_use]
pub fn leaves_transaction(runner: &Runner, pieces: &[Piece], statements: &[Statement]) -> bool {
    runner.leaves_transaction_for.is_some_and(|leaves| {
        pieces.iter().all(|piece| piece.wraps.is_none()) && statements.iter().any(leaves)
    })
}

/// Pieces that are sent one by one in the same way are one unit.
fn push(units: &mut Vec<Unit>, unit: Unit) {
    match units.last_mut() {
        Some(last)
            if last.send == unit.send
                && last.wraps == unit.wraps
                && unit.send == Send::PerStatement =>
        {
            last.statements.end = unit.statements.end;
        }
        _ => units.push(unit),
    }
}

fn cut(unit: Unit, sets_apart: SetsApart, statements: &[Statement]) -> Vec<Unit> {
    let own = &statements[unit.statements.clone()];
    if own.iter().any(sets_apart.controls) {
        return vec![Unit {
            send: Send::PerStatement,
            ..unit
        }];
    }
    let mut units: Vec<Unit> = Vec::new();
    let mut was_alone = true;
    for (index, statement) in unit.statements.clone().zip(own) {
        let is_alone = (sets_apart.alone)(statement);
        match units.last_mut() {
            Some(last) if !is_alone && !was_alone => last.statements.end = index + 1,
            _ => units.push(Unit {
                statements: index..index + 1,
                send: if is_alone {
                    Send::PerStatement
                } else {
                    unit.send
                },
                wraps: unit.wraps,
            }),
        }
        was_alone = is_alone;
    }
    units
}
