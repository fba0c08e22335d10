//! From the parser's tree to ours: names resolved, functions known, loops told apart. What a policy could not evaluate is
//! found here, before it has seen an object.

mod calls;
mod loops;

use std::thread;

use cel_parser::common::ast::{EntryExpr, Expr as Parsed, IdedExpr, LiteralValue, SourceInfo};

use super::fault::Fault;
use super::library::{self, Function};
use super::operators::Operator;
use super::place::Place;
use super::value::Value;
use tree::{Span, limits, nearest};

/// An expression, ready to be evaluated.
#[derive(Debug)]
pub struct Expr {
    pub(super) kind: Kind,
    /// Where it stands; of an operator or a call, where that is.
    pub span: Span,
}

/// What a policy's expressions start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Root {
    /// `object`
    Object,
    /// `oldObject`
    OldObject,
    /// `request`
    Request,
    /// `params`
    Params,
    /// `namespaceObject`
    NamespaceObject,
}

#[derive(Debug)]
pub(super) enum Kind {
    Literal(Value<'static>),
    Root(Root),
    /// A variable of the policy.
    Variable(usize),
    /// A variable of a loop, counted from the outermost.
    Local(usize),
    Select {
        operand: Box<Expr>,
        field: Box<str>,
        optional: bool,
    },
    Has {
        operand: Box<Expr>,
        field: Box<str>,
    },
    Index {
        operand: Box<Expr>,
        index: Box<Expr>,
        optional: bool,
    },
    /// `||` where `any`, else `&&`.
    Logic {
        any: bool,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    Not(Box<Expr>),
    Conditional(Box<[Expr; 3]>),
    Binary {
        operator: Operator,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    Call {
        function: &'static Function,
        arguments: Vec<Expr>,
    },
    /// `or`, or `orValue` where `value`.
    OrElse {
        operand: Box<Expr>,
        other: Box<Expr>,
        value: bool,
    },
    /// Items, and whether each is optional.
    List(Vec<(Expr, bool)>),
    Map(Vec<(Expr, Expr, bool)>),
    Loop(Box<Loop>),
    OptMap {
        operand: Box<Expr>,
        body: Box<Expr>,
        flat: bool,
    },
}

/// A macro that goes over a list or a map.
#[derive(Debug)]
pub(super) struct Loop {
    pub(super) kind: LoopKind,
    pub(super) range: Expr,
    /// Whether it has two variables: index and item, or key and value.
    pub(super) two: bool,
    pub(super) filter: Option<Expr>,
    pub(super) body: Expr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LoopKind {
    All,
    Exists,
    ExistsOne,
    Map,
    Filter,
    TransformMap,
    TransformEntry,
    SortBy,
}

/// Compiles an expression; `variables` are the policy's that it may ask for.
///
/// # Errors
/// When it is no CEL, or asks for what there is not.
pub fn compile(text: &str, place: &Place, variables: &[&str]) -> Result<Expr, Vec<Fault>> {
    let whole = || place.part(0, text.chars().count().saturating_sub(1));
    let refuse = |message: String| vec![Fault { message, span: whole(), fatal: false }];
    bounded(text).map_err(refuse)?;
    // The parser recurses over what it reads, which is bounded, but too deep for the stack of a worker.
    let read = thread::scope(|scope| {
        let builder = thread::Builder::new().stack_size(PARSER_STACK);
        let parsed = builder.spawn_scoped(scope, || parse_and_lower(text, place, variables));
        parsed.ok()?.join().ok()
    });
    read.unwrap_or_else(|| Err(refuse("the expression could not be read".to_owned())))
}

/// Bytes of the stack that the parser has: about 4 kB for each byte of an expression.
const PARSER_STACK: usize = 96 << 20;

/// Refuses what the parser could not take.
fn bounded(text: &str) -> Result<(), String> {
    if text.len() > limits::POLICY_BYTES {
        return Err(format!("the expression is {} bytes long; the limit is {}", text.len(), limits::POLICY_BYTES));
    }
    if text.trim().is_empty() {
        return Err("the expression is empty".to_owned());
    }
    let mut depth = 0usize;
    for c in text.chars() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > limits::POLICY_DEPTH {
            return Err(format!("the expression has brackets more than {} deep", limits::POLICY_DEPTH));
        }
    }
    Ok(())
}

fn parse_and_lower(text: &str, place: &Place, variables: &[&str]) -> Result<Expr, Vec<Fault>> {
    let parser = cel_parser::Env::default().parser().enable_ident_escape_syntax(true);
    let (tree, info) = parser.parse_with_source_info(text).map_err(|errors| syntax(&errors, text, place))?;
    let mut lowering = Lowering { info, text: text.chars().collect(), place, variables, locals: Vec::new(), depth: 0 };
    lowering.expr(&tree).map_err(|fault| vec![fault])
}

/// The parser's errors; it counts lines and columns from 1.
fn syntax(errors: &cel_parser::ParseErrors, text: &str, place: &Place) -> Vec<Fault> {
    let mut faults: Vec<Fault> = Vec::new();
    for error in &errors.errors {
        let (line, column) = (usize::try_from(error.pos.0).unwrap_or(1), usize::try_from(error.pos.1).unwrap_or(1));
        let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(|line| line.chars().count()).sum();
        let last = text.chars().count().saturating_sub(1);
        let at = (before + column.saturating_sub(1)).min(last);
        let message = error.msg.lines().next().unwrap_or_default();
        let message = message.trim_start_matches("Syntax error: ").trim_end_matches('.');
        faults.push(Fault { message: format!("not valid CEL: {message}"), span: place.part(at, at), fatal: false });
    }
    faults.truncate(1);
    faults
}

struct Lowering<'a> {
    info: SourceInfo,
    /// The expression's characters.
    text: Vec<char>,
    place: &'a Place,
    variables: &'a [&'a str],
    locals: Vec<String>,
    depth: usize,
}

type Lowered<T = Expr> = Result<T, Fault>;

impl Lowering<'_> {
    /// The parser gives the bracket of a call and the dot of a field; the name is what people look for.
    fn span(&self, id: u64) -> Span {
        let (start, end) = self.info.offset_for(id).unwrap_or((0, 0));
        let (start, end) = (start as usize, end.max(start) as usize);
        let word = |c: &char| c.is_alphanumeric() || *c == '_';
        let at = |from: usize| self.text.get(from).copied();
        let (first, last) = match at(start) {
            Some('(') => {
                let before = self.text.get(..start).unwrap_or_default();
                (start - before.iter().rev().take_while(|c| word(c)).count(), start.saturating_sub(1))
            }
            Some('.') => {
                let after = self.text.get(start + 1..).unwrap_or_default();
                let skipped = after.iter().take_while(|c| c.is_whitespace() || matches!(c, '?' | '`')).count();
                let name = after.iter().skip(skipped).take_while(|c| word(c)).count();
                (start + 1 + skipped, start + skipped + name)
            }
            _ => (start, end),
        };
        if first > last { self.place.part(start, end) } else { self.place.part(first, last) }
    }

    fn fault<T>(&self, id: u64, message: impl Into<String>) -> Lowered<T> {
        Err(Fault { message: message.into(), span: self.span(id), fatal: false })
    }

    fn boxed(&mut self, tree: &IdedExpr) -> Lowered<Box<Expr>> {
        self.expr(tree).map(Box::new)
    }

    fn expr(&mut self, tree: &IdedExpr) -> Lowered {
        if self.depth >= limits::POLICY_DEPTH {
            return self.fault(tree.id, format!("the expression is more than {} levels deep", limits::POLICY_DEPTH));
        }
        self.depth += 1;
        let kind = self.kind(tree);
        self.depth -= 1;
        Ok(Expr { kind: kind?, span: self.span(tree.id) })
    }

    fn kind(&mut self, tree: &IdedExpr) -> Lowered<Kind> {
        match &tree.expr {
            Parsed::Literal(literal) => Ok(Kind::Literal(constant(literal))),
            Parsed::Ident(name) => self.name(tree.id, name),
            Parsed::Select(select) => {
                if let Some(kind) = self.qualified(tree.id, &select.operand, &select.field)? {
                    return Ok(kind);
                }
                let operand = self.boxed(&select.operand)?;
                Ok(Kind::Select { operand, field: select.field.as_str().into(), optional: false })
            }
            Parsed::Call(call) => self.call(tree.id, call),
            Parsed::List(list) => {
                let item = |(at, item): (usize, &IdedExpr)| Ok((self.expr(item)?, list.optional_indices.contains(&at)));
                Ok(Kind::List(list.elements.iter().enumerate().map(item).collect::<Lowered<_>>()?))
            }
            Parsed::Map(map) => {
                let mut entries = Vec::new();
                for entry in &map.entries {
                    let EntryExpr::MapEntry(entry) = &entry.expr else { return self.fault(tree.id, "no map") };
                    entries.push((self.expr(&entry.key)?, self.expr(&entry.value)?, entry.optional));
                }
                Ok(Kind::Map(entries))
            }
            Parsed::Struct(message) => {
                let name = &message.type_name;
                self.fault(tree.id, format!("netloom cannot make a `{name}`: policies read objects and make none"))
            }
            Parsed::Comprehension(_) | Parsed::Unspecified => self.fault(tree.id, "the expression is not complete"),
        }
    }

    fn name(&mut self, id: u64, name: &str) -> Lowered<Kind> {
        if let Some(at) = self.locals.iter().rposition(|known| known == name) {
            return Ok(Kind::Local(at));
        }
        let root = match name {
            "object" => Root::Object,
            "oldObject" => Root::OldObject,
            "request" => Root::Request,
            "params" => Root::Params,
            "namespaceObject" => Root::NamespaceObject,
            "authorizer" => return self.fault(id, "`authorizer` asks a running API server, which there is none of here"),
            "variables" => return self.fault(id, "`variables` is asked for one of them: `variables.NAME`"),
            _ => match library::type_named(name) {
                Some(known) => return Ok(Kind::Literal(Value::Type(known))),
                None => return self.unknown_name(id, name),
            },
        };
        Ok(Kind::Root(root))
    }

    fn unknown_name<T>(&self, id: u64, name: &str) -> Lowered<T> {
        let roots = ["object", "oldObject", "request", "params", "namespaceObject", "variables"];
        let known = self.locals.iter().map(String::as_str).chain(roots);
        let hint = nearest(name, known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        self.fault(id, format!("there is no `{name}`{hint}"))
    }

    /// `variables.NAME`, a type's long name, or what netloom does not know of a request.
    fn qualified(&mut self, id: u64, operand: &IdedExpr, field: &str) -> Lowered<Option<Kind>> {
        if let Some(path) = dotted(operand)
            && let Some(known) = library::type_named(&format!("{path}.{field}"))
        {
            return Ok(Some(Kind::Literal(Value::Type(known))));
        }
        let Parsed::Ident(name) = &operand.expr else { return Ok(None) };
        if self.locals.contains(name) {
            return Ok(None);
        }
        match name.as_str() {
            "variables" => match self.variables.iter().position(|known| *known == field) {
                Some(at) => Ok(Some(Kind::Variable(at))),
                None => {
                    let near = nearest(field, self.variables.iter().copied());
                    let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                    self.fault(id, format!("there is no variable `{field}` before this expression{hint}"))
                }
            },
            "request" if !REQUEST.contains(&field) => {
                self.fault(id, format!("`request.{field}` is known to a running API server only"))
            }
            _ => Ok(None),
        }
    }
}

/// What is known of a request at build time.
const REQUEST: [&str; 9] =
    ["operation", "kind", "resource", "subResource", "requestKind", "requestResource", "name", "namespace", "dryRun"];

/// The names of `a.b.c`.
fn dotted(tree: &IdedExpr) -> Option<String> {
    match &tree.expr {
        Parsed::Ident(name) => Some(name.clone()),
        // Names of types are short.
        Parsed::Select(select) if matches!(select.operand.expr, Parsed::Ident(_)) => {
            Some(format!("{}.{}", dotted(&select.operand)?, select.field))
        }
        _ => None,
    }
}

fn constant(literal: &LiteralValue) -> Value<'static> {
    match literal {
        LiteralValue::Boolean(flag) => Value::Bool(*flag.inner()),
        LiteralValue::Bytes(bytes) => Value::Bytes(bytes.inner().to_vec().into()),
        LiteralValue::Double(number) => Value::Double(*number.inner()),
        LiteralValue::Int(number) => Value::Int(*number.inner()),
        LiteralValue::Null => Value::Null,
        LiteralValue::String(text) => Value::from(text.inner()),
        LiteralValue::UInt(number) => Value::UInt(*number.inner()),
    }
}
