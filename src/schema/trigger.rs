//! Replay of triggers. Partitions have copies of the row triggers of their parent.

use super::Schema;
use super::object::{Origin, Trigger};
use crate::statement::{CreateTrigger, Name, QualifiedName};

impl Schema {
    pub(super) fn create_trigger(&mut self, create: &CreateTrigger, origin: Origin) {
        let trigger = Trigger {
            name: create.name.text.clone(),
            function: self.function_key(&create.function),
            columns: create
                .columns
                .iter()
                .map(|column| column.text.clone())
                .collect(),
            when_columns: create
                .when
                .iter()
                .flat_map(|expr| expr.columns())
                .map(Into::into)
                .collect(),
            row: create.row,
            cloned: false,
            created: origin,
        };
        let key = self.resolve(&create.table);
        self.clone_triggers(&key, std::slice::from_ref(&trigger));
        self.change_table(&create.table, origin, |table| {
            table
                .triggers
                .retain(|existing| existing.name != trigger.name);
            table.triggers.push(trigger);
        });
    }

    /// Copies row triggers of a partitioned table to its partitions.
    fn clone_triggers(&mut self, parent: &QualifiedName, triggers: &[Trigger]) {
        for partition in self.partitions_of(parent) {
            self.put_clones(&partition, triggers);
        }
    }

    fn put_clones(&mut self, partition: &QualifiedName, triggers: &[Trigger]) {
        let rows: Vec<&Trigger> = triggers.iter().filter(|trigger| trigger.row).collect();
        if rows.is_empty() {
            return;
        }
        self.edit_table(partition, |table| {
            for trigger in rows {
                table.triggers.retain(|known| known.name != trigger.name);
                table.triggers.push(Trigger {
                    cloned: true,
                    ..trigger.clone()
                });
            }
        });
    }

    /// Partitions at all levels, without inheritance children.
    fn partitions_of(&self, parent: &QualifiedName) -> Vec<QualifiedName> {
        self.descendants(parent)
            .into_iter()
            .filter(|child| child.partition.is_some())
            .map(|child| child.name.clone())
            .collect()
    }

    /// A table that has become a partition gets copies of the triggers of its parent.
    pub(super) fn inherit_triggers(&mut self, parent: &QualifiedName, child: &QualifiedName) {
        let Some(triggers) = self.table_at(parent).map(|table| table.triggers.clone()) else {
            return;
        };
        self.put_clones(child, &triggers);
        self.clone_triggers(child, &triggers);
    }

    /// A table that is no partition any more loses its copies.
    pub(super) fn lose_triggers(&mut self, child: &QualifiedName) {
        // Its partitions keep copies of triggers that it has of its own.
        let kept: Vec<Box<str>> = self.table_at(child).map_or_else(Vec::new, |table| {
            let own = table.triggers.iter().filter(|trigger| !trigger.cloned);
            own.map(|trigger| trigger.name.clone()).collect()
        });
        for name in self.partitions_of(child).iter().chain([child]) {
            self.edit_table(name, |table| {
                table
                    .triggers
                    .retain(|trigger| !trigger.cloned || kept.contains(&trigger.name));
            });
        }
    }

    /// `DROP TRIGGER`: the copies go too.
    pub(super) fn drop_trigger(&mut self, on: &Name, name: &str, origin: Origin) {
        let key = self.resolve(on);
        for partition in self.partitions_of(&key) {
            self.edit_table(&partition, |table| {
                table
                    .triggers
                    .retain(|trigger| !(trigger.cloned && *trigger.name == *name));
            });
        }
        self.change_table(on, origin, |table| {
            table.triggers.retain(|trigger| *trigger.name != *name);
        });
    }
}
