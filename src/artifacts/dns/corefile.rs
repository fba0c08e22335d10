//! Corefiles: what the server blocks of CoreDNS, and of the node's cache that is built on it, listen on and forward.
//!
//! The form is that of CoreDNS (coredns.io/manual/configuration). What CoreDNS would refuse is read as far as it goes.

use std::collections::{BTreeMap, BTreeSet};

/// A Corefile.
#[derive(Debug, Default)]
pub struct Corefile {
    /// Names of zones, and what stands in their block.
    blocks: Vec<(Vec<String>, Vec<Directive>)>,
    /// Directives under a name, which blocks import.
    snippets: BTreeMap<String, Vec<Directive>>,
}

/// A plugin with its words, and the lines between its braces.
#[derive(Debug, Default)]
struct Directive {
    words: Vec<String>,
    inner: Vec<Vec<String>>,
}

/// Forwards that are read of one file: more than a picture has room for. Zones times forwards would be a small file's way to be large.
const FORWARDS: usize = 256;

/// Whom questions for some names are handed on to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Forward {
    /// The domain of the names, in lower case; `.` for all that no other one has.
    pub names: String,
    /// Domains in it that are not handed on.
    pub except: Vec<String>,
    /// Servers, files such as `/etc/resolv.conf`, or placeholders, as they are written.
    pub to: Vec<String>,
    /// Whether they are asked over TCP alone.
    pub tcp: bool,
}

impl Corefile {
    /// Reads a text.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let tokens = tokens(text);
        let (mut rest, mut read) = (tokens.as_slice(), Self::default());
        while let Some(first) = rest.first() {
            let keys = keys(&mut rest);
            // Files are not followed: what they hold is not known.
            if first.text == "import" || first.text == "}" {
                continue;
            }
            let directives = directives(&mut rest);
            match first.text.strip_prefix('(').and_then(|name| name.strip_suffix(')')) {
                Some(name) => drop(read.snippets.insert(name.to_owned(), directives)),
                None => read.blocks.push((keys.iter().filter_map(|key| zone(key)).collect(), directives)),
            }
        }
        read
    }

    /// What is forwarded, in the order of the text: the first 256 of a file.
    #[must_use]
    pub fn forwards(&self) -> Vec<Forward> {
        let (mut all, mut seen): (Vec<Forward>, _) = (Vec::new(), BTreeSet::new());
        for (zones, directives) in &self.blocks {
            for forward in self.expanded(directives).into_iter().filter(|one| one.is("forward")) {
                let [_, from, to @ ..] = forward.words.as_slice() else { continue };
                let from = zone(from).filter(|from| from != ".");
                let names: Vec<&String> = if from.is_some() { from.iter().collect() } else { zones.iter().collect() };
                let option =
                    |name: &'static str| forward.inner.iter().filter(move |line| line.first().is_some_and(|it| it == name));
                let except: Vec<String> = option("except").flat_map(|line| line.iter().skip(1).cloned()).collect();
                let tcp = option("force_tcp").next().is_some();
                for names in names {
                    if all.len() == FORWARDS {
                        return all;
                    }
                    let made = Forward { names: names.clone(), except: except.clone(), to: to.to_vec(), tcp };
                    all.extend(seen.insert(made.clone()).then_some(made));
                }
            }
        }
        all
    }

    /// What it listens on: addresses, interfaces and placeholders as they are written; none where a block listens on all.
    #[must_use]
    pub fn binds(&self) -> Option<Vec<&str>> {
        let (mut all, mut seen) = (Vec::new(), BTreeSet::new());
        for (_, directives) in &self.blocks {
            let binds: Vec<_> = self.expanded(directives).into_iter().filter(|one| one.is("bind")).collect();
            if binds.is_empty() {
                return None;
            }
            for address in binds.iter().flat_map(|bind| bind.words.iter().skip(1)).map(String::as_str) {
                if matches!(address, "0.0.0.0" | "::") {
                    return None;
                }
                all.extend(seen.insert(address).then_some(address));
            }
        }
        (!all.is_empty()).then_some(all)
    }

    /// Directives with those of snippets in place of their imports, each snippet once: more of it says nothing new.
    fn expanded<'a>(&'a self, directives: &'a [Directive]) -> Vec<&'a Directive> {
        let (mut all, mut seen, mut open) = (Vec::new(), BTreeSet::new(), vec![directives.iter()]);
        while let Some(last) = open.last_mut() {
            let Some(directive) = last.next() else {
                open.pop();
                continue;
            };
            match directive.words.get(1).filter(|_| directive.is("import")).and_then(|name| self.snippets.get_key_value(name)) {
                Some((name, snippet)) => open.extend(seen.insert(name).then(|| snippet.iter())),
                None => all.push(directive),
            }
        }
        all
    }
}

impl Directive {
    fn is(&self, plugin: &str) -> bool {
        self.words.first().is_some_and(|word| word == plugin)
    }
}

/// The name of a zone without its port; none where it is asked by other means than DNS over UDP and TCP.
fn zone(key: &str) -> Option<String> {
    let name = key.strip_prefix("dns://").unwrap_or(key);
    if name.contains("://") {
        return None;
    }
    let port = name.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    let name = port.map_or(name, |(name, _)| name).trim_end_matches('.');
    Some(if name.is_empty() { ".".to_owned() } else { name.to_lowercase() })
}

/// A word, and the line it is on.
struct Token {
    text: String,
    line: usize,
    quoted: bool,
}

impl Token {
    fn is(&self, brace: &str) -> bool {
        !self.quoted && self.text == brace
    }
}

fn tokens(text: &str) -> Vec<Token> {
    let (mut tokens, mut line) = (Vec::new(), 0);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\n' => line += 1,
            c if c.is_whitespace() => {}
            '#' => while rest.next_if(|c| *c != '\n').is_some() {},
            '"' => {
                let (mut text, start) = (String::new(), line);
                while let Some(c) = rest.next().filter(|c| *c != '"') {
                    let escaped = (c == '\\').then(|| rest.next_if_eq(&'"')).flatten();
                    line += usize::from(c == '\n');
                    text.push(escaped.unwrap_or(c));
                }
                tokens.push(Token { text, line: start, quoted: true });
            }
            c => {
                let mut text = String::from(c);
                // A comment begins in the midst of a word as well.
                while let Some(c) = rest.next_if(|c| !c.is_whitespace() && *c != '#') {
                    text.push(c);
                }
                tokens.push(Token { text, line, quoted: false });
            }
        }
    }
    tokens
}

/// Takes the names before a block: those of a line, and of the next one after a comma.
fn keys(rest: &mut &[Token]) -> Vec<String> {
    let (mut keys, mut line): (Vec<String>, _) = (Vec::new(), None);
    while let Some((token, after)) = rest.split_first() {
        if token.is("{") || line.is_some_and(|line| line != token.line) {
            break;
        }
        *rest = after;
        let name = token.text.trim_end_matches(',');
        line = (name.len() == token.text.len()).then_some(token.line);
        keys.extend(name.split(',').filter(|name| !name.is_empty()).map(ToOwned::to_owned));
    }
    keys
}

/// Takes a block: all there is up to its brace, or to the end where it has none.
fn directives(rest: &mut &[Token]) -> Vec<Directive> {
    if let Some((_, after)) = rest.split_first().filter(|(token, _)| token.is("{")) {
        *rest = after;
    }
    let (mut all, mut depth, mut line): (Vec<Directive>, usize, _) = (Vec::new(), 0, None);
    while let Some((token, after)) = rest.split_first() {
        *rest = after;
        let new = line.replace(token.line) != Some(token.line);
        match (depth, all.last_mut()) {
            _ if token.is("}") && depth == 0 => break,
            _ if token.is("}") => {
                depth -= 1;
                line = None;
            }
            (_, Some(last)) if token.is("{") => {
                depth += 1;
                last.inner.push(Vec::new());
            }
            (0, Some(last)) if !new => last.words.push(token.text.clone()),
            (0, _) => all.push(Directive { words: vec![token.text.clone()], inner: Vec::new() }),
            (_, Some(last)) => match last.inner.last_mut().filter(|_| !new) {
                Some(words) => words.push(token.text.clone()),
                None => last.inner.push(vec![token.text.clone()]),
            },
            (_, None) => {}
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forwards(text: &str) -> Vec<String> {
        let show = |one: Forward| {
            let except = if one.except.is_empty() { String::new() } else { format!(" but {}", one.except.join(" ")) };
            format!("{}{except} -> {}{}", one.names, one.to.join(" "), if one.tcp { " tcp" } else { "" })
        };
        Corefile::read(text).forwards().into_iter().map(show).collect()
    }

    #[test]
    fn a_block_forwards_the_names_of_its_zones() {
        for (text, expected) in [
            (
                ".:53 {\n errors\n kubernetes cluster.local in-addr.arpa {\n  pods insecure\n }\n forward . /etc/resolv.conf {\n  max_concurrent 1000\n }\n cache 30\n}\n",
                &[". -> /etc/resolv.conf"][..],
            ),
            (
                "Example.corp:53 b.test. {\n forward . 10.1.1.1 10.1.1.2:5353 { force_tcp }\n}\n. {\n}\n",
                &["example.corp -> 10.1.1.1 10.1.1.2:5353 tcp", "b.test -> 10.1.1.1 10.1.1.2:5353 tcp"],
            ),
            ("a.test,\nb.test { forward . 10.1.1.1 }", &["a.test -> 10.1.1.1", "b.test -> 10.1.1.1"]),
            (
                ":53 {\n forward a.test 10.1.1.1\n forward . 10.1.1.2 {\n  except b.test\n  force_tcp\n }\n}",
                &["a.test -> 10.1.1.1", ". but b.test -> 10.1.1.2 tcp"],
            ),
            (
                "dns://.:53 {\n forward . tls://9.9.9.9 {\n  tls_servername dns.quad9.net\n }\n}\ntls://. {\n forward . 10.0.0.1\n}",
                &[". -> tls://9.9.9.9"],
            ),
            (".\nerrors\nforward . \"10.1.1.1\" # {\n", &[". -> 10.1.1.1"]),
            (". {\n forward . 10.1.1.1#no\n}#c\nb.test {\n forward . 10.1.1.2\n}", &[". -> 10.1.1.1", "b.test -> 10.1.1.2"]),
            ("# forward . 10.1.1.1\n. {\n # forward . 10.1.1.1\n log\n}", &[]),
            ("", &[]),
        ] {
            assert_eq!(forwards(text), expected, "{text}");
        }
    }

    #[test]
    fn snippets_stand_for_what_is_in_them_and_files_for_nothing() {
        let text = "(up) {\n forward . 10.1.1.1\n import up\n}\n. {\n import up\n import up\n import custom/*.override\n}\nimport custom/*.server\nb.test {\n forward . 10.1.1.2\n}";
        assert_eq!(forwards(text), [". -> 10.1.1.1", "b.test -> 10.1.1.2"]);
    }

    #[test]
    fn what_is_no_corefile_forwards_nothing() {
        for text in ["}", "} }\n{ {", "{", "a {\n forward", "a {\n forward .", "(", "\"", ". {\n {\n forward . x\n", "import"] {
            drop(forwards(text));
        }
        assert_eq!(forwards("ENC[AES256_GCM,data:abc,iv:def]"), [""; 0]);
    }

    #[test]
    fn a_small_file_makes_no_large_picture() {
        let zones: String = (0..5000).map(|number| format!("z{number}.test ")).collect();
        let text = format!("{zones}{{\n{}bind {}\n}}", "forward . 10.1.1.1\n".repeat(5000), zones.repeat(10));
        let read = Corefile::read(&text);
        assert_eq!(read.forwards().len(), FORWARDS);
        assert_eq!(read.binds().map(|all| all.len()), Some(5000));
    }

    #[test]
    fn addresses_are_those_of_all_blocks() {
        let binds = |text: &str| Corefile::read(text).binds().map(|all| all.join(" "));
        assert_eq!(binds("a {\n bind 1.1.1.1 2.2.2.2\n}\nb {\n bind 2.2.2.2\n}"), Some("1.1.1.1 2.2.2.2".into()));
        assert_eq!(binds("a {\n bind 1.1.1.1\n}\nb {\n}"), None);
        assert_eq!(binds("a {\n bind 0.0.0.0\n}"), None);
        assert_eq!(binds(""), None);
    }
}
