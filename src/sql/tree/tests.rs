use super::*;

#[test]
fn reads_alter_table() {
    with_tree(
        "  alter table only s.t add column é int not null, drop c; select 1",
        Mode::Statements,
        |tree| {
            let tree = tree.expect("parses");
            let statements: Vec<_> = tree.statements().collect();
            assert_eq!(statements.len(), 2);
            let Node::AlterTableStmt(alter) = statements[0].node else {
                panic!("{:?}", statements[0])
            };
            let relation = alter.relation().expect("relation");
            assert_eq!(
                (relation.schemaname(), relation.relname(), relation.inh()),
                (Some("s"), Some("t"), false)
            );
            let kinds: Vec<_> = alter
                .cmds()
                .of::<AlterTableCmd<'_>>()
                .map(AlterTableCmd::subtype)
                .collect();
            assert_eq!(kinds, [AlterTableType::AT_AddColumn, AlterTableType::AT_DropColumn]);
            let mut seen = String::new();
            walk(statements[0].node, &mut |node| {
                seen += &format!("{node:?} ");
                Walk::Enter
            });
            assert_eq!(
                seen,
                "AlterTableStmt RangeVar@19 AlterTableCmd ColumnDef@34 TypeName@37 String String Constraint@41 AlterTableCmd "
            );
        },
    );
}
