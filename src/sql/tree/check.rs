//! The start-up check: a mistake in a C struct must not pass unnoticed in a build for another system.

use std::fmt::Write as _;

use super::{Mode, Node, Value, Walk, walk, with_tree};

/// A text with many kinds of node, long and short structs, and the places where C types differ between systems.
const TEXT: &str = "\
create temp table s.é (a numeric(3), b text not null default 'x' references u on delete cascade) partition by hash (a);
alter table only t drop column if exists c cascade;
alter table t attach partition p for values from (1) to (maxvalue);
create unique index concurrently i on t using gin (lower(a) desc) where b is null;
create foreign table f (a int) server x;
with w as (select distinct 1.5 from t join u on t.a = $1 group by 1 order by 2 limit 3 for update)
insert into t select w.*, b'1', true, null, f(variadic array[w.a]) over () from w on conflict do nothing;
fetch backward 5 from c;
grant select on all tables in schema s to public with grant option;
lock t in share mode nowait;
create or replace function f(a int) returns int language sql as $$select 1$$;
vacuum (full) t; copy t from stdin";

/// What [`TEXT`] is read as.
const EXPECTED: &str = "\
0..119 CreateStmt(#0,)RangeVar(s,é,+,t,18,)ColumnDef(a,0,+,0,24,)TypeName(0,-1,26,)String(pg_catalog,)\
String(numeric,)A_Const(Integer(3,)34,)ColumnDef(b,0,+,0,38,)TypeName(0,-1,40,)String(text,)\
Constraint(#1,+,+,0,45,)Constraint(#2,0,54,)A_Const(String(x,)62,)Constraint(#9,+,+,s,a,c,0,66,)\
RangeVar(u,+,p,77,)PartitionSpec(#2,98,)PartitionElem(a,117,)121..171 AlterTableStmt(#41,)RangeVar(t,p,138,)\
AlterTableCmd(#13,c,0,#1,+,)173..239 AlterTableStmt(#41,)RangeVar(t,+,p,185,)AlterTableCmd(#59,0,#0,)\
PartitionCmd()RangeVar(p,+,p,204,)PartitionBoundSpec(r,0,0,217,)A_Const(Integer(1,)223,)ColumnRef(230,)\
String(maxvalue,)241..322 IndexStmt(i,gin,0,0,0,0,+,+,)RangeVar(t,+,p,279,)IndexElem(#2,#0,)FuncCall(#0,292,)\
String(lower,)ColumnRef(298,)String(a,)NullTest(#0,315,)ColumnRef(313,)String(b,)\
324..363 CreateForeignTableStmt(x,)RangeVar(f,+,p,345,)ColumnDef(a,0,+,0,348,)TypeName(0,-1,350,)\
String(pg_catalog,)String(int4,)365..568 InsertStmt(#0,)RangeVar(t,+,p,476,)SelectStmt(#0,#0,)ResTarget(485,)\
ColumnRef(485,)String(w,)A_Star()ResTarget(490,)A_Const(BitString(b1,)490,)ResTarget(496,)A_Const(Boolean(+,)\
496,)ResTarget(502,)A_Const(+,502,)ResTarget(508,)FuncCall(+,#0,508,)String(f,)A_ArrayExpr(524,528,519,)\
ColumnRef(525,)String(w,)String(a,)WindowDef(1058,536,)RangeVar(w,+,p,544,)OnConflictClause(#1,546,)\
WithClause(365,)CommonTableExpr(w,#0,370,0,)SelectStmt(#1,#0,)ResTarget(392,)A_Const(Float(1.5,)392,)\
JoinExpr(#0,0,)RangeVar(t,+,p,401,)RangeVar(u,+,p,408,)A_Expr(#0,0,0,417,)String(=,)ColumnRef(413,)String(t,)\
String(a,)ParamRef(1,419,)A_Const(Integer(1,)431,)SortBy(#0,#0,-1,)A_Const(Integer(2,)442,)A_Const(Integer(3,)\
450,)LockingClause(#4,#0,)570..593 FetchStmt(#1,5,c,)595..661 GrantStmt(+,#1,#41,+,#0,)String(s,)\
AccessPriv(select,)RoleSpec(#4,637,)663..690 LockStmt(5,+,)RangeVar(t,+,p,668,)692..768 CreateFunctionStmt(+,)\
String(f,)FunctionParameter(a,#5,721,)TypeName(0,-1,723,)String(pg_catalog,)String(int4,)TypeName(0,-1,736,)\
String(pg_catalog,)String(int4,)DefElem(language,#0,740,-1,)String(sql,)DefElem(as,#0,753,756,)List()\
String(select 1,)770..785 VacuumStmt(+,)DefElem(full,#0,778,-1,)VacuumRelation(0,)RangeVar(t,+,p,784,)\
787..804 CopyStmt(+,)RangeVar(t,+,p,792,)";

/// Parses a fixed text and compares what is read with what is known to be there.
///
/// # Errors
/// The first difference. Nothing that this module reads can be trusted then.
pub(crate) fn self_check() -> Result<(), String> {
    let found = with_tree(TEXT, Mode::Statements, |tree| {
        tree.map(|tree| {
            let mut found = String::new();
            for statement in tree.statements() {
                let _ = write!(found, "{}..{} ", statement.range.start, statement.range.end);
                walk(statement.node, &mut |node| {
                    describe(node, &mut found);
                    Walk::Enter
                });
            }
            found
        })
    });
    let found = found.map_err(|error| format!("the parser refuses the text of the self-check: {error}"))?;
    if found == EXPECTED {
        return Ok(());
    }
    let same = found
        .bytes()
        .zip(EXPECTED.bytes())
        .take_while(|(left, right)| left == right)
        .count();
    Err(format!(
        "the parse tree is not laid out as this program expects, behind `{}`",
        found
            .get(..same)
            .and_then(|text| text.get(text.len().saturating_sub(40)..))
            .unwrap_or_default()
    ))
}

/// The kind and what is in the node itself, a literal's value node included (literals do not nest).
fn describe(node: Node<'_>, out: &mut String) {
    let _ = write!(out, "{}(", node.kind());
    node.fields(&mut |_, value| {
        let _ = match value {
            Value::Text(Some(text)) => write!(out, "{text},"),
            Value::Flag(true) => write!(out, "+,"),
            Value::Letter(letter) if letter != '\0' => write!(out, "{letter},"),
            Value::Int(number) => write!(out, "{number},"),
            Value::Code { rank, .. } => write!(out, "#{rank},"),
            Value::Literal(Some(literal)) => {
                describe(literal, out);
                Ok(())
            }
            _ => Ok(()),
        };
    });
    out.push(')');
}
