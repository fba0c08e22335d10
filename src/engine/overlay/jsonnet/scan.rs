//! A look at a program's tokens before it is parsed.
//!
//! The evaluator keeps a stack of its own, but its parser and analyser recurse: 5,000 chained `local`s, `if`s, calls or brackets
//! end the process (measured with rsjsonnet-lang 0.5.1 on 8 MiB of stack). The tokens tell how deep they would go.

use rsjsonnet_lang::arena::Arena;
use rsjsonnet_lang::interner::StrInterner;
use rsjsonnet_lang::lexer::Lexer;
use rsjsonnet_lang::span::SpanManager;
use rsjsonnet_lang::token::{STokenKind, Token, TokenKind};

use super::protocol::{Failure, Place};
use super::serve::resolve;
use tree::limits;

/// One bracket that is open.
#[derive(Default)]
struct Level {
    /// Keywords whose expression is not over: `local`, `if`, `else`, `function`, `assert`, `error`, `import`.
    pending: usize,
    /// Steps of the chain of calls, fields and indexes that is being written.
    suffixes: usize,
    /// Whether the bindings of a `local` are being listed, whose commas end nothing.
    binding: bool,
}

/// Refuses a program that is too large, or nested or chained too deeply for the parser, or that shows not all of itself.
pub(super) fn check(path: &str, text: &str) -> Result<(), Failure> {
    let refuse = |message: String, start, end| {
        let place = Some(Place { file: path.to_owned(), start, end });
        Err(Failure { limit: true, message, place, ..Failure::default() })
    };
    if let Some((start, bad)) = yaml::hidden(text) {
        let message = format!("the program contains the invisible character U+{:04X}", u32::from(bad));
        return refuse(message, start, start + bad.len_utf8()).map_err(|failure| Failure { limit: false, ..failure });
    }
    if text.len() > limits::JSONNET_BYTES {
        return refuse(format!("a Jsonnet file has at most {} KiB", limits::JSONNET_BYTES >> 10), 0, 0);
    }
    let (arena, ast, names, mut spans) = (Arena::new(), Arena::new(), StrInterner::new(), SpanManager::new());
    let (context, _) = spans.insert_source_context(text.len());
    // What cannot be read is reported by the parser.
    let Ok(tokens) = Lexer::new(&arena, &ast, &names, &mut spans, context, text.as_bytes()).lex_to_eof(false) else {
        return Ok(());
    };
    let mut scan = Scan { levels: vec![Level::default()], total: 0, previous: None };
    for token in &tokens {
        if let Err(what) = scan.token(token) {
            let (_, start, end) = spans.get_span(token.span);
            return refuse(what, start, end);
        }
    }
    Ok(())
}

/// The paths in the snapshot of the files that a program imports, whether or not they are there; none when it cannot be read.
#[must_use]
pub fn imports(path: &str, text: &str) -> Option<Vec<String>> {
    let (arena, ast, names, mut spans) = (Arena::new(), Arena::new(), StrInterner::new(), SpanManager::new());
    let (context, _) = spans.insert_source_context(text.len());
    let tokens = Lexer::new(&arena, &ast, &names, &mut spans, context, text.as_bytes()).lex_to_eof(false).ok()?;
    let (mut imports, mut importing) = (Vec::new(), false);
    for token in &tokens {
        if let (true, TokenKind::String(named) | TokenKind::TextBlock(named)) = (importing, token.kind) {
            // What leaves the project is not read.
            imports.extend(resolve(path, named));
        }
        importing = matches!(token.kind, TokenKind::Simple(STokenKind::Import | STokenKind::Importstr | STokenKind::Importbin));
    }
    Some(imports)
}

struct Scan {
    levels: Vec<Level>,
    /// Sum of what is pending on all levels.
    total: usize,
    previous: Option<STokenKind>,
}

impl Scan {
    fn token(&mut self, token: &Token<'_, '_>) -> Result<(), String> {
        use STokenKind as T;
        let TokenKind::Simple(kind) = token.kind else {
            if self.previous != Some(T::Dot) {
                self.end_chain();
            }
            self.previous = None;
            return Ok(());
        };
        match kind {
            T::LeftParen | T::LeftBracket | T::LeftBrace => {
                self.step(true)?;
                self.levels.push(Level::default());
                if self.levels.len() > limits::JSONNET_NESTING {
                    return Err(format!("more than {} nested brackets", limits::JSONNET_NESTING));
                }
            }
            T::RightParen | T::RightBracket | T::RightBrace => self.close(),
            T::Dot => self.step(true)?,
            T::Tailstrict => {}
            T::Comma if self.levels.last().is_some_and(|level| !level.binding) => self.end_expressions(),
            _ => {
                self.end_chain();
                self.keyword(kind)?;
            }
        }
        self.previous = Some(kind);
        Ok(())
    }

    fn keyword(&mut self, kind: STokenKind) -> Result<(), String> {
        use STokenKind as T;
        match kind {
            T::Local => {
                // A `local` among the fields of an object ends with its comma.
                let field = matches!(self.previous, Some(T::LeftBrace | T::Comma));
                self.binding(!field);
                self.step(false)
            }
            T::Semicolon => {
                self.binding(false);
                Ok(())
            }
            T::If | T::Else | T::Function | T::Assert | T::Error | T::Import | T::Importstr | T::Importbin => self.step(false),
            _ => Ok(()),
        }
    }

    fn binding(&mut self, binding: bool) {
        if let Some(level) = self.levels.last_mut() {
            level.binding = binding;
        }
    }

    fn step(&mut self, suffix: bool) -> Result<(), String> {
        if let Some(level) = self.levels.last_mut() {
            *(if suffix { &mut level.suffixes } else { &mut level.pending }) += 1;
        }
        self.total += 1;
        if self.total > limits::JSONNET_CHAIN {
            return Err(format!("more than {} chained `local`s, `if`s, calls or fields", limits::JSONNET_CHAIN));
        }
        Ok(())
    }

    fn end_chain(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            self.total -= std::mem::take(&mut level.suffixes);
        }
    }

    fn end_expressions(&mut self) {
        self.end_chain();
        if let Some(level) = self.levels.last_mut() {
            self.total -= std::mem::take(&mut level.pending);
        }
    }

    fn close(&mut self) {
        self.end_expressions();
        if self.levels.len() > 1 {
            self.levels.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> Option<String> {
        check("a.jsonnet", text).err().map(|failure| failure.message)
    }

    #[test]
    fn chains_are_limited() {
        for link in ["local a=1;", "if a then b else ", "function(x) ", "assert true; ", "error ", "import ", "if "] {
            assert_eq!(refused(&format!("{}1", link.repeat(400))), None, "{link}");
            assert!(refused(&format!("{}1", link.repeat(1001))).unwrap().contains("chained"), "{link}");
        }
        for link in [".a", "()", "[0]", "{}", "(1)(2)"] {
            assert_eq!(refused(&format!("x{}", link.repeat(400))), None, "{link}");
            assert!(refused(&format!("x{}", link.repeat(1001))).unwrap().contains("chained"), "{link}");
        }
    }

    #[test]
    fn brackets_are_limited() {
        for (open, close) in [("(", ")"), ("[", "]"), ("{a:", "}"), ("f(", ")"), ("{[", "]:1}")] {
            let nested = |n: usize| format!("{}1{}", open.repeat(n), close.repeat(n));
            assert_eq!(refused(&nested(90)), None, "{open}");
            assert!(refused(&nested(201)).unwrap().contains("nested"), "{open}");
        }
    }

    #[test]
    fn long_lists_are_no_chains() {
        for item in
            ["if a then b else c, ", "f(x).y[0].z, ", "{ local q = 1, r: error 'x' }, ", "import 'x', ", "local a = 1; a, "]
        {
            assert_eq!(refused(&format!("[{}]", item.repeat(3000))), None, "{item}");
        }
        assert_eq!(refused(&format!("{{{}}}", "local x = if a then b else c, y: x.a.b, ".repeat(3000))), None);
        assert_eq!(refused(&format!("1{}", "+a.b.c(1)".repeat(3000))), None);
    }

    #[test]
    fn bindings_of_one_local_are_one_chain() {
        // Each value of a binding is over at its comma, but the `local` is not.
        assert!(refused(&format!("{}1", "local a=1, b=2;".repeat(1001))).is_some());
    }

    #[test]
    fn imports_are_found_with_the_files_that_they_are_of() {
        let text = "local a = import 'lib/a.libsonnet'; // import 'no'\n[a, importstr \"../b.txt\", 'import', import\n@'c.jsonnet', import '/etc/x', import '../../y']";
        assert_eq!(imports("x/p.jsonnet", text).unwrap(), ["x/lib/a.libsonnet", "b.txt", "x/c.jsonnet"]);
        assert!(imports("x/p.jsonnet", "import 'no end").is_none());
    }

    #[test]
    fn the_place_is_told() {
        let failure = check("a.jsonnet", &"(".repeat(300)).unwrap_err();
        assert_eq!(failure.place, Some(Place { file: "a.jsonnet".into(), start: 199, end: 200 }));
        assert!(check("a.jsonnet", &" ".repeat(limits::JSONNET_BYTES + 1)).unwrap_err().message.contains("256 KiB"));
    }
}
