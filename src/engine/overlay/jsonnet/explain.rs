//! The evaluator's errors in words.

use rsjsonnet_lang::lexer::LexError;
use rsjsonnet_lang::parser::ParseError;
use rsjsonnet_lang::program::{AnalyzeError, EvalErrorKind, EvalErrorValueType as Type, EvalStackTraceItem as Item, LoadError};
use rsjsonnet_lang::span::SpanId;

use super::tokens::{actual_token, binary, expected_token, unary};
use tree::limits;

/// An error in words.
#[derive(Debug)]
pub(super) struct Words {
    pub(super) message: String,
    pub(super) span: Option<SpanId>,
    /// A second place that takes part.
    pub(super) also: Option<(SpanId, &'static str)>,
}

fn words(message: impl Into<String>, span: impl Into<Option<SpanId>>) -> Words {
    Words { message: message.into(), span: span.into(), also: None }
}

/// Why a program cannot be loaded.
pub(super) fn load(error: &LoadError) -> Words {
    match error {
        LoadError::Lex(error) => lex(error),
        LoadError::Parse(ParseError::Expected { span, expected, instead }) => {
            let mut expected: Vec<_> = expected.iter().map(expected_token).collect();
            expected.dedup();
            let last = expected.pop().unwrap_or_else(|| "something else".to_owned());
            let list = if expected.is_empty() { last } else { format!("{} or {last}", expected.join(", ")) };
            words(format!("expected {list}, found {}", actual_token(instead)), *span)
        }
        LoadError::Analyze(error) => analyze(error),
    }
}

fn lex(error: &LexError) -> Words {
    match error {
        LexError::InvalidChar { span, chr } => words(format!("the character {chr:?} means nothing in Jsonnet"), *span),
        LexError::InvalidUtf8 { span, .. } => words("this is not UTF-8 text", *span),
        LexError::UnfinishedMultilineComment { span } => words("the comment has no end `*/`", *span),
        LexError::LeadingZeroInNumber { span } => words("a number does not begin with zeros", *span),
        LexError::MissingFracDigits { span } => words("digits are missing after the decimal point", *span),
        LexError::MissingExpDigits { span } => words("digits are missing in the exponent", *span),
        LexError::MissingDigitAfterUnderscore { span } => words("a digit is missing after `_`", *span),
        LexError::ExpOverflow { span } => words("the exponent is too large", *span),
        LexError::InvalidEscapeInString { span, chr } => words(format!("there is no escape `\\{}`", chr.escape_debug()), *span),
        LexError::IncompleteUnicodeEscape { span } => words("`\\u` is followed by four hexadecimal digits", *span),
        LexError::InvalidUtf16EscapeSequence { span, .. } => words("the `\\u` escapes name no character", *span),
        LexError::UnfinishedString { span } => words("the string has no end", *span),
        LexError::MissingLineBreakAfterTextBlockStart { span } => words("`|||` is followed by a new line", *span),
        LexError::MissingWhitespaceTextBlockStart { span } => words("the first line of a text block is indented", *span),
        LexError::InvalidTextBlockTermination { span } => words("the text block has no end `|||` on a line of its own", *span),
    }
}

fn analyze(error: &AnalyzeError) -> Words {
    let twice = |what: &str, name: &str, first: SpanId, second: SpanId| Words {
        also: Some((first, "first here")),
        ..words(format!("the {what} `{name}` is defined twice"), second)
    };
    match error {
        AnalyzeError::UnknownVariable { span, name } => words(format!("there is no variable `{name}` here"), *span),
        AnalyzeError::SelfOutsideObject { self_span: span } => words("`self` stands outside of any object", *span),
        AnalyzeError::SuperOutsideObject { super_span: span } => words("`super` stands outside of any object", *span),
        AnalyzeError::DollarOutsideObject { dollar_span: span } => words("`$` stands outside of any object", *span),
        AnalyzeError::RepeatedLocalName { original_span, repeated_span, name } => {
            twice("variable", name, *original_span, *repeated_span)
        }
        AnalyzeError::RepeatedFieldName { original_span, repeated_span, name } => {
            twice("field", name, *original_span, *repeated_span)
        }
        AnalyzeError::RepeatedParamName { original_span, repeated_span, name } => {
            twice("parameter", name, *original_span, *repeated_span)
        }
        AnalyzeError::PositionalArgAfterNamed { arg_span } => {
            words("an argument without name follows one with a name", *arg_span)
        }
        AnalyzeError::TextBlockAsImportPath { span } => words("an import's path is a plain string, not a text block", *span),
        AnalyzeError::ComputedImportPath { span } => words("an import's path is a plain string; it cannot be computed", *span),
    }
}

/// Why an evaluation failed.
#[allow(clippy::too_many_lines)] // one line an error: the table is clearer whole
pub(super) fn eval(kind: &EvalErrorKind, trace: &[Item]) -> Words {
    use EvalErrorKind as E;
    match kind {
        E::StackOverflow => words(format!("more than {} calls or values inside one another", limits::JSONNET_STACK), None),
        E::InfiniteRecursion => words("the value depends on itself", None),
        E::InvalidIndexedType { span, got_type } => words(format!("{} has no fields or items", a(*got_type)), *span),
        E::InvalidSlicedType { span, got_type } => words(format!("{} cannot be sliced", a(*got_type)), *span),
        E::SliceIndexOrStepIsNotNumber { span, got_type } => {
            words(format!("a slice is made with numbers, not {}", a(*got_type)), *span)
        }
        E::StringIndexIsNotNumber { span, got_type } => {
            words(format!("a string is indexed by a number, not {}", a(*got_type)), *span)
        }
        E::ArrayIndexIsNotNumber { span, got_type } => {
            words(format!("an array is indexed by a number, not {}", a(*got_type)), *span)
        }
        E::NumericIndexIsNotValid { span, index } => words(format!("{index} is no index: a whole number from 0 on"), *span),
        E::NumericIndexOutOfRange { span, index, length } => {
            words(format!("there is no item {index}: the length is {length}"), *span)
        }
        E::ObjectIndexIsNotString { span, got_type } => words(format!("a field's name is a string, not {}", a(*got_type)), *span),
        E::RepeatedFieldName { span, name } => words(format!("the field `{name}` is defined twice"), *span),
        E::FieldNameIsNotString { span, got_type } => words(format!("a field's name is a string, not {}", a(*got_type)), *span),
        E::UnknownObjectField { span, field_name } => words(format!("the object has no field `{field_name}`"), *span),
        E::FieldOfNonObject { span } => words("only objects have fields", *span),
        E::SuperWithoutSuperObject { span } => words("`super` is used in an object that extends nothing", *span),
        E::ForSpecValueIsNotArray { span, got_type } => words(format!("`for` takes an array, not {}", a(*got_type)), *span),
        E::CondIsNotBool { span, got_type } => words(format!("a condition is true or false, not {}", a(*got_type)), *span),
        E::CalleeIsNotFunction { span, got_type } => words(format!("{} cannot be called", a(*got_type)), *span),
        E::TooManyCallArgs { span, num_params } => words(format!("too many arguments: the function takes {num_params}"), *span),
        E::UnknownCallParam { span, param_name } => words(format!("the function has no parameter `{param_name}`"), *span),
        E::RepeatedCallParam { span, param_name } => words(format!("the parameter `{param_name}` is given twice"), *span),
        E::CallParamNotBound { span, param_name } => words(format!("the parameter `{param_name}` is not given"), *span),
        E::NativeCallFailed => words("there are no native functions here", None),
        E::InvalidUnaryOpType { span, op, rhs_type } => {
            words(format!("`{}` cannot be applied to {}", unary(*op), a(*rhs_type)), *span)
        }
        E::InvalidBinaryOpTypes { span, op, lhs_type, rhs_type } => {
            words(format!("`{}` cannot be applied to {} and {}", binary(*op), a(*lhs_type), a(*rhs_type)), *span)
        }
        E::NumberNotBitwiseSafe { span } => words("the number is too large for operations on bits (at most 2^53)", *span),
        E::NumberOverflow { span } => words("the number is too large", *span),
        E::NumberNan { span } => words("the result is not a number", *span),
        E::DivByZero { span } => words("division by zero", *span),
        E::ShiftByNegative { span } => words("a shift by a negative number", *span),
        E::InvalidStdFuncArgType { func_name, arg_index, expected_types, got_type } => {
            let expected: Vec<_> = expected_types.iter().copied().map(a).collect();
            let expected = expected.join(" or ");
            words(format!("argument {} of `std.{func_name}` is {expected}, not {}", arg_index + 1, a(*got_type)), None)
        }
        E::AssertFailed { span, message: Some(message) } => words(format!("assertion failed: {message}"), *span),
        E::AssertFailed { span, message: None } => words("assertion failed", *span),
        E::AssertEqualFailed { lhs, rhs } => words(format!("`std.assertEqual` failed: {lhs} is not {rhs}"), None),
        E::ExplicitError { span, message } => words(message.clone(), *span),
        E::ImportFailed { span, path } => words(format!("`{path}` cannot be imported"), *span),
        E::UnknownExtVar { name } => words(format!("there are no external variables here, so no `{name}`"), None),
        E::ManifestFunction => {
            words(format!("the result holds a function{}, which JSON does not have", result_path(trace)), None)
        }
        E::CompareNullInequality => words("nulls have no order", None),
        E::CompareBooleanInequality => words("booleans have no order", None),
        E::CompareObjectInequality => words("objects have no order", None),
        E::CompareFunctions => words("functions cannot be compared", None),
        E::CompareDifferentTypesInequality { lhs_type, rhs_type } => {
            words(format!("{} and {} have no order", a(*lhs_type), a(*rhs_type)), None)
        }
        E::PrimitiveEqualsNonPrimitive { got_type } => {
            words(format!("`std.primitiveEquals` does not compare {}s", name(*got_type)), None)
        }
        E::Other { span, message } => words(message.clone(), *span),
    }
}

/// Where in the result something stands, as far as it was being written.
fn result_path(trace: &[Item]) -> String {
    let mut path = String::new();
    for item in trace {
        match item {
            Item::ManifestArrayItem { index } => path.push_str(&format!("[{index}]")),
            Item::ManifestObjectField { name } if path.is_empty() => path.push_str(name),
            Item::ManifestObjectField { name } => path.push_str(&format!(".{name}")),
            _ => {}
        }
    }
    if path.is_empty() { path } else { format!(" at `{path}`") }
}

/// What a step of the evaluation was, where it has a place.
pub(super) fn step(item: &Item) -> Option<(SpanId, String)> {
    match item {
        Item::Expr { span } => Some((*span, "while evaluating this".to_owned())),
        Item::Call { span, name: Some(name) } => Some(((*span)?, format!("in this call of `{name}`"))),
        Item::Call { span, name: None } => Some(((*span)?, "in this call".to_owned())),
        Item::Variable { span, name } => Some((*span, format!("for the variable `{name}`"))),
        Item::ArrayItem { span, index } => Some(((*span)?, format!("for item {index}"))),
        Item::ObjectField { span, name } => Some(((*span)?, format!("for the field `{name}`"))),
        Item::Import { span } => Some((*span, "imported here".to_owned())),
        Item::CompareArrayItem { .. }
        | Item::CompareObjectField { .. }
        | Item::ManifestArrayItem { .. }
        | Item::ManifestObjectField { .. } => None,
    }
}

fn name(kind: Type) -> &'static str {
    match kind {
        Type::Null => "null",
        Type::Bool => "boolean",
        Type::Number => "number",
        Type::String => "string",
        Type::Array => "array",
        Type::Object => "object",
        Type::Function => "function",
    }
}

/// The kind of a value with its article.
fn a(kind: Type) -> String {
    match kind {
        Type::Null => "null".to_owned(),
        Type::Array | Type::Object => format!("an {}", name(kind)),
        _ => format!("a {}", name(kind)),
    }
}
