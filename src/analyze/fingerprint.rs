//! The names by which findings are known again.

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;
use crate::source::Source;

/// Gives each finding a name that survives moved lines: rule, file, the text of its statement, and a number where one
/// statement has several findings of one rule.
pub(crate) fn fingerprints(diagnostics: &mut [Diagnostic], sources: &[Source]) {
    let mut seen: BTreeMap<u64, u64> = BTreeMap::new();
    for diagnostic in diagnostics {
        let source = &sources[diagnostic.primary.source.0 as usize];
        let text = diagnostic
            .subject
            .map_or("", |subject| source.slice(subject));
        let mut hash = Fnv::default();
        hash.write(diagnostic.rule);
        hash.write(&source.path);
        for word in text.split_whitespace() {
            hash.write(word);
        }
        if text.is_empty() {
            hash.write(&diagnostic.message);
        }
        let number = seen.entry(hash.0).or_default();
        let mut numbered = hash;
        numbered.write(&number.to_string());
        *number += 1;
        diagnostic.fingerprint = format!("{:016x}", numbered.0);
    }
}

/// FNV-1a: a hash that stays the same between versions and machines, which the standard library does not promise.
#[derive(Clone, Copy)]
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn write(&mut self, text: &str) {
        // The zero byte keeps "ab" + "c" apart from "a" + "bc".
        for byte in text.bytes().chain([0]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}
