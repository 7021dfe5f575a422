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
0..119 CreateStmt(relation=RangeVar,tableElts[2],partspec=PartitionSpec,)RangeVar(schemaname=s,relname=é,inh,\
relpersistence=t,location=18,)ColumnDef(colname=a,typeName=TypeName,is_local,location=24,)TypeName(names[2],\
typmods[1],typemod=-1,location=26,)String(sval=pg_catalog,)String(sval=numeric,)A_Const(Integer(ival=3,)\
location=34,)ColumnDef(colname=b,typeName=TypeName,is_local,constraints[3],location=38,)TypeName(names[1],\
typemod=-1,location=40,)String(sval=text,)Constraint(contype=#1,is_enforced,initially_valid,location=45,)\
Constraint(contype=#2,raw_expr=A_Const,location=54,)A_Const(String(sval=x,)location=62,)Constraint(contype=#9,\
is_enforced,initially_valid,pktable=RangeVar,fk_matchtype=s,fk_upd_action=a,fk_del_action=c,location=66,)\
RangeVar(relname=u,inh,relpersistence=p,location=77,)PartitionSpec(strategy=#2,partParams[1],location=98,)\
PartitionElem(name=a,location=117,)121..171 AlterTableStmt(relation=RangeVar,cmds[1],objtype=#41,)\
RangeVar(relname=t,relpersistence=p,location=138,)AlterTableCmd(subtype=#13,name=c,behavior=#1,missing_ok,)\
173..239 AlterTableStmt(relation=RangeVar,cmds[1],objtype=#41,)RangeVar(relname=t,inh,relpersistence=p,\
location=185,)AlterTableCmd(subtype=#59,def=PartitionCmd,)PartitionCmd(name=RangeVar,bound=PartitionBoundSpec,)\
RangeVar(relname=p,inh,relpersistence=p,location=204,)PartitionBoundSpec(strategy=r,lowerdatums[1],\
upperdatums[1],location=217,)A_Const(Integer(ival=1,)location=223,)ColumnRef(fields[1],location=230,)\
String(sval=maxvalue,)241..322 IndexStmt(idxname=i,relation=RangeVar,accessMethod=gin,indexParams[1],\
whereClause=NullTest,unique,concurrent,)RangeVar(relname=t,inh,relpersistence=p,location=279,)\
IndexElem(expr=FuncCall,ordering=#2,)FuncCall(funcname[1],args[1],location=292,)String(sval=lower,)\
ColumnRef(fields[1],location=298,)String(sval=a,)NullTest(arg=ColumnRef,location=315,)ColumnRef(fields[1],\
location=313,)String(sval=b,)324..363 CreateForeignTableStmt(base=CreateStmt,servername=x,)RangeVar(relname=f,\
inh,relpersistence=p,location=345,)ColumnDef(colname=a,typeName=TypeName,is_local,location=348,)\
TypeName(names[2],typemod=-1,location=350,)String(sval=pg_catalog,)String(sval=int4,)\
365..568 InsertStmt(relation=RangeVar,selectStmt=SelectStmt,onConflictClause=OnConflictClause,\
withClause=WithClause,)RangeVar(relname=t,inh,relpersistence=p,location=476,)SelectStmt(targetList[5],\
fromClause[1],)ResTarget(val=ColumnRef,location=485,)ColumnRef(fields[2],location=485,)String(sval=w,)A_Star()\
ResTarget(val=A_Const,location=490,)A_Const(BitString(bsval=b1,)location=490,)ResTarget(val=A_Const,\
location=496,)A_Const(Boolean(boolval,)location=496,)ResTarget(val=A_Const,location=502,)A_Const(isnull,\
location=502,)ResTarget(val=FuncCall,location=508,)FuncCall(funcname[1],args[1],over=WindowDef,func_variadic,\
location=508,)String(sval=f,)A_ArrayExpr(elements[1],list_start=524,list_end=528,location=519,)\
ColumnRef(fields[2],location=525,)String(sval=w,)String(sval=a,)WindowDef(frameOptions=1058,location=536,)\
RangeVar(relname=w,inh,relpersistence=p,location=544,)OnConflictClause(action=#1,location=546,)\
WithClause(ctes[1],location=365,)CommonTableExpr(ctename=w,ctequery=SelectStmt,location=370,)\
SelectStmt(distinctClause[1],targetList[1],fromClause[1],groupClause[1],sortClause[1],limitCount=A_Const,\
limitOption=#1,lockingClause[1],)ResTarget(val=A_Const,location=392,)A_Const(Float(fval=1.5,)location=392,)\
JoinExpr(larg=RangeVar,rarg=RangeVar,quals=A_Expr,)RangeVar(relname=t,inh,relpersistence=p,location=401,)\
RangeVar(relname=u,inh,relpersistence=p,location=408,)A_Expr(name[1],lexpr=ColumnRef,rexpr=ParamRef,\
location=417,)String(sval==,)ColumnRef(fields[2],location=413,)String(sval=t,)String(sval=a,)ParamRef(number=1,\
location=419,)A_Const(Integer(ival=1,)location=431,)SortBy(node=A_Const,location=-1,)A_Const(Integer(ival=2,)\
location=442,)A_Const(Integer(ival=3,)location=450,)LockingClause(strength=#4,)570..593 FetchStmt(direction=#1,\
howMany=5,portalname=c,)595..661 GrantStmt(is_grant,targtype=#1,objtype=#41,objects[1],privileges[1],\
grantees[1],grant_option,)String(sval=s,)AccessPriv(priv_name=select,)RoleSpec(roletype=#4,location=637,)\
663..690 LockStmt(relations[1],mode=5,nowait,)RangeVar(relname=t,inh,relpersistence=p,location=668,)\
692..768 CreateFunctionStmt(replace,funcname[1],parameters[1],returnType=TypeName,options[2],)String(sval=f,)\
FunctionParameter(name=a,argType=TypeName,mode=#5,location=721,)TypeName(names[2],typemod=-1,location=723,)\
String(sval=pg_catalog,)String(sval=int4,)TypeName(names[2],typemod=-1,location=736,)String(sval=pg_catalog,)\
String(sval=int4,)DefElem(defname=language,arg=String,location=740,arg_location=-1,)String(sval=sql,)\
DefElem(defname=as,arg=List,location=753,arg_location=756,)List(items[1],)String(sval=select 1,)\
770..785 VacuumStmt(options[1],rels[1],is_vacuumcmd,)DefElem(defname=full,location=778,arg_location=-1,)\
VacuumRelation(relation=RangeVar,)RangeVar(relname=t,inh,relpersistence=p,location=784,)\
787..804 CopyStmt(relation=RangeVar,is_from,)RangeVar(relname=t,inh,relpersistence=p,location=792,)";

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
    let found =
        found.map_err(|error| format!("the parser refuses the text of the self-check: {error}"))?;
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

/// The kind and every field that is set, by name: a literal with its value node (literals do not nest), other nodes by
/// their kind, lists by their length.
fn describe(node: Node<'_>, out: &mut String) {
    let _ = write!(out, "{}(", node.kind());
    node.fields(&mut |name, value| {
        let _ = match value {
            Value::Text(Some(text)) => write!(out, "{name}={text},"),
            Value::Flag(true) => write!(out, "{name},"),
            Value::Letter(letter) if letter != '\0' => write!(out, "{name}={letter},"),
            Value::Int(number) if number != 0 => write!(out, "{name}={number},"),
            Value::Code { rank, .. } if rank != 0 => write!(out, "{name}=#{rank},"),
            Value::Items(list) if !list.is_empty() => write!(out, "{name}[{}],", list.len()),
            Value::Any(Some(node)) | Value::Of(Some(node)) => {
                write!(out, "{name}={},", node.kind())
            }
            Value::Literal(Some(literal)) => {
                describe(literal, out);
                Ok(())
            }
            _ => Ok(()),
        };
    });
    out.push(')');
}
