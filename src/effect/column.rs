//! Columns: what adding one costs.

use super::Work;
use super::volatility::{self, Verdict};
use crate::diagnostic::Certainty;
use crate::schema::{Schema, TypeKind};
use crate::statement::{ColumnDef, ConstraintDef, ConstraintKind, Volatility};

/// Why adding a column rewrites the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rewrite {
    /// `serial` and its relatives: each row gets its own number.
    Serial,
    /// An identity column: the same.
    Identity,
    /// A stored generated column.
    StoredGenerated,
    /// A volatile default; the function, as far as one decides it.
    VolatileDefault(Option<String>),
    /// The type is a domain with a constraint.
    ConstrainedDomain,
}

/// What adding a column costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddColumnWork {
    /// Work under the ACCESS EXCLUSIVE lock.
    pub work: Work,
    /// Why there is a rewrite.
    pub rewrite: Option<Rewrite>,
    /// How sure the rewrite is.
    pub certainty: Certainty,
    /// The statement fails as soon as the table holds a row: NOT NULL without a value.
    pub fails_on_rows: bool,
}

/// What adding a column costs on a target major.
#[must_use]
pub fn add(column: &ColumnDef, schema: &Schema, postgres: u32) -> AddColumnWork {
    let mut result = AddColumnWork {
        work: Work::NONE,
        rewrite: None,
        certainty: Certainty::Certain,
        fails_on_rows: false,
    };
    let generated_virtual = column
        .generated
        .as_ref()
        .is_some_and(|generated| !generated.stored);
    let domain = column
        .ty
        .as_ref()
        .filter(|ty| ty.dimensions == 0)
        .and_then(
            |ty| match &schema.type_named(ty.schema.as_deref(), &ty.name)?.kind {
                TypeKind::Domain(domain) => Some(domain),
                _ => None,
            },
        );
    let default = column
        .default
        .as_ref()
        .or_else(|| domain.and_then(|domain| domain.default.as_ref()));
    let has_value = default.is_some_and(|default| !default.is_null());

    let serial = column
        .ty
        .as_ref()
        .is_some_and(|ty| ty.serial_base().is_some());
    let verdict = default.map(|default| volatility::of(default, schema));
    if serial {
        result.rewrite = Some(Rewrite::Serial);
    } else if column.identity.is_some() {
        result.rewrite = Some(Rewrite::Identity);
    } else if column
        .generated
        .as_ref()
        .is_some_and(|generated| generated.stored)
    {
        result.rewrite = Some(Rewrite::StoredGenerated);
    } else if let Some(Verdict {
        volatility: Volatility::Volatile,
        certainty,
        function,
    }) = verdict
    {
        result.rewrite = Some(Rewrite::VolatileDefault(function));
        result.certainty = certainty;
    } else if domain.is_some_and(|domain| domain.not_null || !domain.checks.is_empty()) {
        result.rewrite = Some(Rewrite::ConstrainedDomain);
    }
    if result.rewrite.is_some() {
        result.work = Work::REWRITE;
    }
    // NOT NULL without a value is checked by a scan; on a table with rows it fails.
    let filled = has_value || serial || column.identity.is_some() || column.generated.is_some();
    if column.not_null_written && !filled {
        result.fails_on_rows = true;
        result.work = result.work.and(Work::SCAN);
    }
    if generated_virtual && column.not_null_written && postgres >= 18 {
        result.work = result.work.and(Work::SCAN);
    }
    for constraint in &column.constraints {
        if matches!(constraint.kind, ConstraintKind::PrimaryKey(_)) {
            result.fails_on_rows |= !filled;
        }
        result.work = result.work.and(constraint_work(constraint, column));
    }
    result
}

/// Work for a constraint that is written at an added column.
#[must_use]
pub fn constraint_work(constraint: &ConstraintDef, column: &ColumnDef) -> Work {
    if constraint.not_enforced {
        return Work::NONE;
    }
    match &constraint.kind {
        // Scans even if all values are NULL (measured).
        ConstraintKind::Check(_) => Work::SCAN,
        ConstraintKind::PrimaryKey(_)
        | ConstraintKind::Unique(_)
        | ConstraintKind::Exclude { .. } => Work::INDEX_BUILD,
        // Without a value all rows hold NULL and nothing is checked; DEFAULT NULL counts as a value, and other columns of
        // the same command do not matter (measured on 13 to 18).
        ConstraintKind::ForeignKey(_) => {
            let serial = column
                .ty
                .as_ref()
                .is_some_and(|ty| ty.serial_base().is_some());
            let filled = column.default.is_some()
                || column.generated.is_some()
                || column.identity.is_some()
                || serial;
            if filled { Work::SCAN } else { Work::NONE }
        }
        ConstraintKind::NotNull(_) => Work::NONE,
    }
}
