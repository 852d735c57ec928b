//! Reads which file of a crate imports from which, and finds circles of files.
//!
//! A name counts as living in the file that defines it: re-exports are followed, and make no edge of
//! their own. Code under `#[cfg(test)]` may import from anywhere and is not read.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::Path;

/// The circles of files below `src`, each as `a.rs -> b.rs -> a.rs`. One that shares an import with a
/// shorter one is left out: breaking that import may break both.
pub(crate) fn circles(src: &Path) -> Vec<String> {
    let mut texts = BTreeMap::new();
    read(src, "", &mut texts);
    circles_in(&texts)
}

/// The text of each file, by its path below the folder.
fn read(folder: &Path, prefix: &str, texts: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            read(&path, &format!("{prefix}{name}/"), texts);
        } else if name.ends_with(".rs") {
            texts.insert(format!("{prefix}{name}"), fs::read_to_string(&path).unwrap());
        }
    }
}

fn circles_in(texts: &BTreeMap<String, String>) -> Vec<String> {
    let files: BTreeMap<Segments, File> =
        texts.iter().map(|(name, text)| (module_of(name), File::read(name, text))).collect();
    let in_tests = |module: &Segments| {
        (1..=module.len()).any(|length| {
            let (name, parent) = module[..length].split_last().unwrap();
            files.get(parent).is_some_and(|file| file.test_modules.contains(name))
        })
    };
    let files: BTreeMap<_, _> =
        files.iter().filter(|(module, _)| !in_tests(module)).map(|(m, f)| (m.clone(), f)).collect();
    let graph = Graph { files: &files };
    let mut edges: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (module, file) in &files {
        let targets = file.uses.iter().filter_map(|used| {
            let target = graph.resolve(module, used, 0)?;
            Some(files[&target].name.as_str())
        });
        edges.insert(&file.name, targets.filter(|target| *target != file.name).collect());
    }
    let ways = edges.keys().filter_map(|name| way_back(name, &edges));
    let mut ways: Vec<_> = ways.collect();
    ways.sort_by_key(Vec::len);
    let mut reported = BTreeSet::new();
    ways.retain(|way| {
        let imports: Vec<_> = way.windows(2).map(|pair| (pair[0], pair[1])).collect();
        let is_new = imports.iter().all(|import| !reported.contains(import));
        reported.extend(imports.into_iter().filter(|_| is_new));
        is_new
    });
    ways.into_iter().map(|way| way.join(" -> ")).collect()
}

/// A shortest way from a file back to itself.
fn way_back<'a>(
    start: &'a str,
    edges: &BTreeMap<&'a str, BTreeSet<&'a str>>,
) -> Option<Vec<&'a str>> {
    let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
    let mut next = VecDeque::from([start]);
    while let Some(file) = next.pop_front() {
        for target in &edges[file] {
            if *target == start {
                let mut way = vec![start, file];
                while *way.last().unwrap() != start {
                    way.push(came_from[way.last().unwrap()]);
                }
                way.reverse();
                return Some(way);
            }
            if !came_from.contains_key(target) {
                came_from.insert(target, file);
                next.push_back(target);
            }
        }
    }
    None
}

type Segments = Vec<String>;

/// `lib.rs` is the root, `a/mod.rs` and `a.rs` are both `a`.
fn module_of(name: &str) -> Segments {
    let path = name.trim_end_matches(".rs");
    let mut segments: Segments = path.split('/').map(str::to_owned).collect();
    if matches!(segments.last().unwrap().as_str(), "lib" | "main" | "mod") {
        segments.pop();
    }
    segments
}

/// What one file says about imports.
struct File {
    name: String,
    /// The name that each `use` binds, and the path behind it.
    bound: BTreeMap<String, Segments>,
    /// The paths of `use …::*`.
    globs: Vec<Segments>,
    /// What it defines itself.
    defined: BTreeSet<String>,
    /// Every path that is used: all imports but re-exports, and paths in the code.
    uses: BTreeSet<Segments>,
    test_modules: BTreeSet<String>,
}

impl File {
    fn read(name: &str, text: &str) -> Self {
        let mut file = Self {
            name: name.to_owned(),
            bound: BTreeMap::new(),
            globs: Vec::new(),
            defined: BTreeSet::new(),
            uses: BTreeSet::new(),
            test_modules: BTreeSet::new(),
        };
        let tokens = tokens(text);
        let mut at = 0;
        // The depths at which inline modules began: each makes a `super` one shorter.
        let (mut depth, mut inline) = (0_usize, Vec::new());
        while at < tokens.len() {
            let rest: Vec<&str> = tokens[at..].iter().take(7).map(String::as_str).collect();
            match rest[..] {
                ["#", "[", "cfg", "(", "test", ")", "]"] => {
                    at = file.skip_tests(&tokens, at + 7);
                    continue;
                }
                ["mod", _, "{", ..] => inline.push(depth),
                ["use", ..] => {
                    let is_public = at > 0 && matches!(tokens[at - 1].as_str(), "pub" | ")");
                    at = file.read_use(&tokens, at + 1, inline.len(), is_public);
                    continue;
                }
                [
                    "fn" | "struct" | "enum" | "trait" | "type" | "const" | "static" | "union",
                    name,
                    ..,
                ] => _ = file.defined.insert(name.to_owned()),
                [first, "::", ..] if is_name(first) => {
                    let mut path = vec![first.to_owned()];
                    while tokens.get(at + 1).is_some_and(|token| token == "::")
                        && tokens.get(at + 2).is_some_and(|token| is_name(token))
                    {
                        path.push(tokens[at + 2].clone());
                        at += 2;
                    }
                    file.uses.insert(outside(path, inline.len()));
                }
                ["{", ..] => depth += 1,
                ["}", ..] => {
                    depth = depth.saturating_sub(1);
                    if inline.last() == Some(&depth) {
                        inline.pop();
                    }
                }
                _ => {}
            }
            if matches!(rest[..], ["mod", _, "{", ..]) {
                at += 1; // its brace is counted next
            }
            at += 1;
        }
        file
    }

    /// Where the item that begins here ends. Notes its name if it is a module in a file of its own.
    fn skip_tests(&mut self, tokens: &[String], mut at: usize) -> usize {
        if let [keyword, name, end] = &tokens[at..(at + 3).min(tokens.len())] {
            if keyword == "mod" && end == ";" {
                self.test_modules.insert(name.clone());
            }
        }
        let is_use = tokens.get(at).is_some_and(|token| token == "use");
        let mut depth = 0;
        while let Some(token) = tokens.get(at) {
            at += 1;
            match token.as_str() {
                "{" | "[" | "(" => depth += 1,
                "}" if depth == 1 && !is_use => break,
                "}" | "]" | ")" => depth -= 1,
                ";" if depth == 0 => break,
                _ => {}
            }
        }
        at
    }

    /// Reads `a::{b, c as d, e::*};` and says where it ends.
    fn read_use(
        &mut self,
        tokens: &[String],
        mut at: usize,
        inline: usize,
        is_public: bool,
    ) -> usize {
        let mut prefixes: Vec<Segments> = Vec::new();
        let mut path = Segments::new();
        let mut alias = None;
        while let Some(token) = tokens.get(at) {
            at += 1;
            match token.as_str() {
                "::" => {}
                "{" => prefixes.push(std::mem::take(&mut path)),
                "as" => {
                    alias = tokens.get(at).cloned();
                    at += 1;
                }
                "," | "}" | ";" => {
                    if !path.is_empty() {
                        let whole = [prefixes.concat(), std::mem::take(&mut path)].concat();
                        self.bind(whole, alias.take(), inline, is_public);
                    }
                    match token.as_str() {
                        "}" => _ = prefixes.pop(),
                        ";" => break,
                        _ => {}
                    }
                }
                name => path.push(name.to_owned()),
            }
        }
        at
    }

    fn bind(&mut self, mut path: Segments, alias: Option<String>, inline: usize, is_public: bool) {
        if path.len() > 1 && path.last().unwrap() == "self" {
            path.pop();
        }
        let last = path.last().unwrap().clone();
        let is_glob = last == "*";
        if is_glob {
            path.pop();
        }
        let path = outside(path, inline);
        if !is_public {
            self.uses.insert(path.clone());
        }
        if is_glob {
            self.globs.push(path);
        } else {
            self.bound.insert(alias.unwrap_or(last), path);
        }
    }
}

/// The path as the file's own module would write it, from inside so many inline modules.
fn outside(mut path: Segments, inline: usize) -> Segments {
    for _ in 0..inline {
        if path.first().is_some_and(|first| first == "super") {
            path.remove(0);
        } else {
            break;
        }
    }
    if path.is_empty() { vec!["self".into()] } else { path }
}

struct Graph<'a> {
    files: &'a BTreeMap<Segments, &'a File>,
}

impl Graph<'_> {
    /// The module whose file defines what this path means inside a module; `None` for what another
    /// crate defines.
    fn resolve(&self, module: &Segments, path: &[String], depth: usize) -> Option<Segments> {
        assert!(depth < 50, "{path:?} in {module:?} has no end");
        let (first, rest) = path.split_first()?;
        let (mut at, mut rest) = match first.as_str() {
            "crate" => (Segments::new(), rest),
            "self" => (module.clone(), rest),
            "super" => (module[..module.len().checked_sub(1)?].to_vec(), rest),
            name => {
                if self.child(module, name).is_none() && self.bound(module, name).is_none() {
                    return None;
                }
                (module.clone(), path)
            }
        };
        while let Some((name, others)) = rest.split_first() {
            if name == "super" {
                at.pop()?;
            } else if let Some(child) = self.child(&at, name) {
                at = child;
            } else if let Some(bound) = self.bound(&at, name) {
                let whole = [bound, others].concat();
                return self.resolve(&at, &whole, depth + 1);
            } else {
                return self.through_globs(&at, name, depth).or(Some(at));
            }
            rest = others;
        }
        Some(at)
    }

    fn child(&self, module: &Segments, name: &str) -> Option<Segments> {
        let child = [module.as_slice(), &[name.to_owned()]].concat();
        self.files.contains_key(&child).then_some(child)
    }

    /// The path that a name is bound to, unless it is that of another crate under its own name.
    fn bound(&self, module: &Segments, name: &str) -> Option<&Segments> {
        self.files[module].bound.get(name).filter(|path| path[0] != name)
    }

    /// The module behind a glob that defines this name.
    fn through_globs(&self, module: &Segments, name: &str, depth: usize) -> Option<Segments> {
        if self.files[module].defined.contains(name) {
            return None;
        }
        let globs = self.files[module].globs.iter();
        let mut targets = globs.filter_map(|glob| self.resolve(module, glob, depth + 1));
        targets.find(|target| self.files[target].defined.contains(name))
    }
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Names, `::` and single characters; no comments, literals or lifetimes.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(length) = literal(rest) {
            length
        } else if is_name(rest) || first.is_ascii_digit() {
            let end = |c: char| !c.is_alphanumeric() && c != '_';
            let length = rest.find(end).unwrap_or(rest.len());
            tokens.push(rest[..length].to_owned());
            length
        } else if rest.starts_with("::") {
            tokens.push("::".to_owned());
            2
        } else {
            if !first.is_whitespace() {
                tokens.push(first.to_string());
            }
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    tokens
}

/// How long the text, byte, character or lifetime is that begins here, if one does.
fn literal(rest: &str) -> Option<usize> {
    if let Some(inner) = rest.strip_prefix('\'') {
        let mut chars = inner.chars();
        return Some(match (chars.next()?, chars.next()) {
            ('\\', Some(escaped)) => {
                let from = 2 + escaped.len_utf8();
                from + rest[from..].find('\'')? + 1
            }
            (c, Some('\'')) => 1 + c.len_utf8() + 1,
            _ => 1 + inner.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(inner.len()),
        });
    }
    let prefix = rest.find(|c: char| !matches!(c, 'b' | 'c' | 'r'))?;
    let hashes = rest[prefix..].find(|c| c != '#')?;
    let start = prefix + hashes + 1;
    if !rest[prefix + hashes..].starts_with('"') || prefix > 2 {
        return None;
    }
    if rest[..prefix].contains('r') {
        let end = format!("\"{}", "#".repeat(hashes));
        return Some(start + rest[start..].find(&end)? + end.len());
    }
    if hashes > 0 {
        return None;
    }
    let mut escaped = false;
    let end = rest[start..].find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    })?;
    Some(start + end + 1)
}

#[test]
fn circles_are_found_through_every_way_of_writing_a_path() {
    let lib = ("lib.rs", "mod a; mod room; pub use room::Thing;");
    let room = ("room/mod.rs", "mod b; mod c; pub(crate) use b::{Thing, inner as renamed};");
    let b = "use super::c::Other; pub struct Thing; pub fn inner() {}";
    for (a, c, expect) in [
        ("", "", &[][..]),
        ("use crate::Thing;", "", &[]),
        ("", "use super::b;", &["room/b.rs -> room/c.rs -> room/b.rs"]),
        ("", "use super::{b::{self as x}, d};", &["room/b.rs -> room/c.rs -> room/b.rs"]),
        ("", "use crate::room::Thing as T;", &["room/b.rs -> room/c.rs -> room/b.rs"]),
        ("", "use crate::{Thing};", &["room/b.rs -> room/c.rs -> room/b.rs"]),
        (
            "",
            "use crate::room::*;\nfn f() { crate::room::renamed() }",
            &["room/b.rs -> room/c.rs -> room/b.rs"],
        ),
        (
            "",
            "use crate::room; fn f() { room::renamed() }",
            &["room/b.rs -> room/c.rs -> room/b.rs"],
        ),
        (
            "",
            "mod inside { use super::super::b::Thing; }",
            &["room/b.rs -> room/c.rs -> room/b.rs"],
        ),
        ("use crate::room::inner;", "use crate::a::x;", &[]),
        (
            "use crate::room::renamed;",
            "use crate::a::x;",
            &["a.rs -> room/b.rs -> room/c.rs -> a.rs"],
        ),
        // What is no code, or code of tests.
        ("", "//! [`crate::Thing`]\n/* use crate::Thing; */", &[]),
        (
            "",
            "const S: (&str, char, &str) = (\"use crate::Thing; \\\"\", '\"', r#\"use crate::Thing;\"#);",
            &[],
        ),
        ("", "#[cfg(test)] mod tests { use super::super::b::Thing; }", &[]),
        ("", "#[cfg(test)] use super::b::{Thing};", &[]),
        ("", "use std::fmt; fn f<'a>(b: &'a str) { b::x() }", &[]),
    ] {
        let c = format!("pub struct Other; {c}");
        let texts = [lib, room, ("a.rs", a), ("room/b.rs", b), ("room/c.rs", &c)];
        let texts = texts.map(|(name, text)| (name.to_owned(), text.to_owned()));
        assert_eq!(circles_in(&texts.into()), expect, "{a} {c}");
    }
}
