//! Texts and their normal forms.

use super::*;

fn normal_of(text: &str) -> String {
    let file = Sources::default().add("a.yaml", text.to_owned());
    match format(text, file) {
        Ok(Formatted::New(new)) => {
            assert_eq!(format(&new, file), Ok(Formatted::Same), "{new}");
            new
        }
        Ok(Formatted::Same) => text.to_owned(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn steps_are_of_two() {
    assert_eq!(normal_of("a:\n    b: 1   \n    c:\n        d: 2\n\n\n\ne: 3"), "a:\n  b: 1\n  c:\n    d: 2\n\ne: 3\n");
    assert_eq!(
        normal_of("\n\na:\n   -   b: 1\n       c: 2\n   -   - s\n       - t\n"),
        "a:\n  - b: 1\n    c: 2\n  - - s\n    - t\n"
    );
    assert_eq!(normal_of("a:\n- b:\n  - 1\n"), "a:\n- b:\n  - 1\n");
}

#[test]
fn comments_stay_with_what_they_are_about() {
    let text = "# top\na:\n    # of b\n    b: 1 # end\n        # deeper\n# of c\nc: 2\n# last\n";
    assert_eq!(normal_of(text), "# top\na:\n  # of b\n  b: 1 # end\n    # deeper\n# of c\nc: 2\n# last\n");
}

#[test]
fn scalars_of_several_lines_move_as_one() {
    let text =
        "a:\n    b: |\n        one  \n\n\n          # two\n    c: >-\n        x\n        y\n    d: \"p\n        q\"\n    e: z\n";
    let expected = "a:\n  b: |\n      one  \n\n\n        # two\n  c: >-\n      x\n      y\n  d: \"p\n      q\"\n  e: z\n";
    assert_eq!(normal_of(text), expected);
}

#[test]
fn brackets_keep_their_lines() {
    let text = "a:\n    b: [1,  \n        2]\n    c: {s: 1,\n        t: 'p\n        q'}\n";
    assert_eq!(normal_of(text), "a:\n  b: [1,\n      2]\n  c: {s: 1,\n      t: 'p\n      q'}\n");
}

#[test]
fn documents_are_apart() {
    assert_eq!(normal_of("---\na:\n    b: 1\n---\n\n\nc:\n   d: 1\n"), "---\na:\n  b: 1\n---\n\nc:\n  d: 1\n");
}

#[test]
fn what_would_change_is_kept() {
    let text = "a:\n    b: |4\n            x\n";
    let file = Sources::default().add("a.yaml", text);
    assert!(matches!(format(text, file), Ok(Formatted::Kept | Formatted::New(_))));
    assert!(format("a: [", file).is_err());
}

/// Whatever is cut out of a file: the normal form says the same, or the file stays.
#[test]
fn the_tree_never_changes() {
    let text = include_str!("../../../overlays/dns/nodelocal/overlay.yaml");
    let lines: Vec<&str> = text.lines().collect();
    for from in (0..lines.len()).step_by(7) {
        let part = lines[from..].join("\n");
        let file = Sources::default().add("a.yaml", part.to_owned());
        if let Ok(Formatted::New(new)) = format(&part, file) {
            let (mut findings, before) = (Vec::new(), part.matches('#').count());
            assert!(same(&crate::read(&part, file, &mut findings), &crate::read(&new, file, &mut findings)), "{new}");
            assert_eq!(before, new.matches('#').count());
        }
    }
}
