//! Replay of what hangs on a table and is made of expressions: policies, rules, extended statistics.

use super::naming::unique_name;
use super::object::{Origin, Policy, Rule, Statistics};
use super::view::ALL;
use super::{Schema, Uses};
use crate::statement::{
    CreateRule, CreateStatistics, Drop, Expr, ExprKind, Kind, Name, PolicyDefinition,
    QualifiedName, Query,
};

impl Schema {
    /// A new policy, or what `ALTER POLICY` changes of one.
    pub(super) fn put_policy(&mut self, def: &PolicyDefinition, table: &Name, origin: Origin) {
        let key = self.resolve(table);
        let mut columns: Vec<Box<str>> = Vec::new();
        let mut elsewhere = Uses::new();
        let mut calls: Vec<QualifiedName> = Vec::new();
        for expr in &def.expressions {
            self.note_expression(expr, &key, &mut columns, &mut elsewhere);
            calls.extend(expr.walk().filter_map(|expr| match &expr.kind {
                ExprKind::Call { schema, name, .. } => {
                    let span = expr.span;
                    Some(self.function_key(&Name::new(schema.as_deref(), name, span)))
                }
                _ => None,
            }));
        }
        self.change_table(table, origin, |table| {
            match table
                .policies
                .iter_mut()
                .find(|policy| policy.name == def.name.text)
            {
                Some(policy) => {
                    // Which of its two expressions was replaced is not kept: the old one may still hold.
                    let unsure = policy.columns.iter().filter(|c| !columns.contains(c));
                    policy.unsure.extend(unsure.cloned());
                    for sure in policy.elsewhere.values_mut() {
                        *sure = false;
                    }
                    policy.columns.extend(columns);
                    policy.elsewhere.extend(elsewhere);
                    policy.calls.extend(calls);
                }
                None => table.policies.push(Policy {
                    name: def.name.text.clone(),
                    columns,
                    unsure: Vec::new(),
                    elsewhere,
                    calls,
                    created: origin,
                }),
            }
        });
    }

    /// Columns that an expression of a table uses: its own, and those of other relations in queries inside it.
    fn note_expression(
        &self,
        expr: &Expr,
        table: &QualifiedName,
        columns: &mut Vec<Box<str>>,
        elsewhere: &mut Uses,
    ) {
        columns.extend(expr.columns().map(Into::into));
        for part in expr.walk() {
            let ExprKind::Subquery(query) = &part.kind else {
                continue;
            };
            self.note_uses_of(query, elsewhere);
            for mention in &query.mentions {
                let own = mention.relation.as_deref() == Some(&*table.name)
                    && query
                        .aliases
                        .iter()
                        .all(|(alias, _)| **alias != *table.name);
                if own {
                    columns.push(mention.column.clone());
                }
            }
        }
    }

    fn note_uses_of(&self, query: &Query, uses: &mut Uses) {
        for (column, sure) in self.columns_used(query) {
            *uses.entry(column).or_default() |= sure;
        }
    }

    pub(super) fn create_rule(&mut self, create: &CreateRule, origin: Origin) {
        let key = self.resolve(&create.table);
        let mut columns: Vec<Box<str>> = Vec::new();
        let mut elsewhere = Uses::new();
        let is_row = |name: &str| matches!(name, "new" | "old");
        if let Some(condition) = &create.condition {
            self.note_expression(condition, &key, &mut columns, &mut elsewhere);
        }
        for action in &create.actions {
            let (query, target, assigned): (&Query, Option<&Name>, Vec<&Box<str>>) = match action {
                Kind::Select(query) => (query, None, Vec::new()),
                Kind::Insert(insert) => {
                    let columns = insert.columns.iter().map(|column| &column.text);
                    (&insert.query, Some(&insert.table), columns.collect())
                }
                Kind::Change(change) | Kind::Merge(change) => {
                    let columns = change.assignments.iter().map(|(column, _)| &column.text);
                    (&change.query, Some(&change.table.name), columns.collect())
                }
                _ => continue,
            };
            let rows = query.mentions.iter();
            let rows = rows.filter(|mention| mention.relation.as_deref().is_some_and(is_row));
            for mention in rows {
                match self.table_at(&key) {
                    Some(table) if &*mention.column == ALL => {
                        columns.extend(table.columns.iter().map(|column| column.name.clone()));
                    }
                    _ => columns.push(mention.column.clone()),
                }
            }
            self.note_uses_of(query, &mut elsewhere);
            let Some(target) = target.map(|target| self.resolve(target)) else {
                continue;
            };
            elsewhere.extend(
                assigned
                    .into_iter()
                    .map(|c| ((target.clone(), c.clone()), true)),
            );
            let is_insert = matches!(action, Kind::Insert(_));
            let has = |column: &str| {
                let table = self.table_at(&target);
                table.is_some_and(|table| table.column(column).is_some())
            };
            // An INSERT without names is for all columns.
            if let (true, Kind::Insert(insert)) = (is_insert, action)
                && insert.columns.is_empty()
                && let Some(table) = self.table_at(&target)
            {
                let all = table.columns.iter().map(|column| column.name.clone());
                elsewhere.extend(all.map(|column| ((target.clone(), column), true)));
            }
            for mention in &query.mentions {
                let bare = mention.relation.is_none();
                let named = mention.relation.as_deref() == Some(&*target.name);
                if !is_insert && (bare || named) && has(&mention.column) {
                    let sure = query.aliases.is_empty() && !query.derived;
                    let entry = elsewhere.entry((target.clone(), mention.column.clone()));
                    *entry.or_default() |= sure;
                }
            }
        }
        columns.sort_unstable();
        columns.dedup();
        let rule = Rule {
            name: create.name.text.clone(),
            columns,
            elsewhere,
            created: origin,
        };
        self.change_table(&create.table, origin, |table| {
            if create.or_replace {
                table.rules.retain(|known| known.name != rule.name);
            }
            if table.rules.iter().all(|known| known.name != rule.name) {
                table.rules.push(rule);
            }
        });
    }

    pub(super) fn create_statistics(&mut self, create: &CreateStatistics, origin: Origin) {
        let table = self.resolve(&create.table);
        let taken = |schema: &Self, key: &QualifiedName| schema.statistics_at(key).is_some();
        let name = match &create.name {
            Some(name) => self.creation_name(name, false),
            None => {
                let taken = |name: &str| taken(self, &QualifiedName::new(&table.schema, name));
                let name = unique_name(&table.name, Some(&create.label), "stat", taken);
                QualifiedName::new(&table.schema, &name)
            }
        };
        if taken(self, &name) {
            return;
        }
        self.change_table(&create.table, origin, |table| {
            table.statistics.push(Statistics {
                name,
                columns: create.columns.clone(),
                created: origin,
            });
        });
    }

    /// The table of extended statistics.
    #[must_use]
    pub fn statistics_at(&self, name: &QualifiedName) -> Option<&QualifiedName> {
        self.tables()
            .find(|table| table.statistics.iter().any(|known| known.name == *name))
            .map(|table| &table.name)
    }

    /// The full name of extended statistics as a statement names them.
    #[must_use]
    pub fn statistics_key(&self, name: &Name) -> QualifiedName {
        if let Some(schema) = &name.schema {
            return QualifiedName::new(schema, &name.name);
        }
        let mut schemas = self.search_path.iter();
        schemas
            .find_map(|schema| {
                let key = QualifiedName::new(schema, &name.name);
                self.statistics_at(&key).is_some().then_some(key)
            })
            .unwrap_or_else(|| self.creation_name(name, false))
    }

    pub(super) fn move_statistics(&mut self, old: &QualifiedName, new: &QualifiedName) {
        let Some(table) = self.statistics_at(old).cloned() else {
            return;
        };
        self.edit_table(&table, |table| {
            for known in table.statistics.iter_mut().filter(|s| s.name == *old) {
                known.name = new.clone();
            }
        });
    }

    pub(super) fn drop_statistics(&mut self, name: &Name) {
        let key = self.statistics_key(name);
        if let Some(table) = self.statistics_at(&key).cloned() {
            self.edit_table(&table, |table| {
                table.statistics.retain(|known| known.name != key);
            });
        }
    }

    /// Drops policies and rules of other tables that use a relation, or one column of it: they go with CASCADE.
    pub(super) fn drop_code_using(&mut self, relation: &QualifiedName, column: Option<&str>) {
        let uses = |uses: &Uses| {
            uses.keys().any(|(used, name)| {
                used == relation && column.is_none_or(|column| **name == *column)
            })
        };
        let tables: Vec<QualifiedName> = self
            .tables_with_code(relation)
            .map(|table| table.name.clone())
            .collect();
        for table in tables {
            self.edit_table(&table, |table| {
                table.policies.retain(|policy| !uses(&policy.elsewhere));
                table.rules.retain(|rule| !uses(&rule.elsewhere));
            });
        }
    }

    /// `DROP RULE`.
    pub(super) fn drop_rule(&mut self, drop: &Drop, name: &Name, origin: Origin) {
        if let Some(on) = &drop.on {
            self.change_table(on, origin, |table| {
                table.rules.retain(|rule| rule.name != name.name);
            });
        }
    }
}
