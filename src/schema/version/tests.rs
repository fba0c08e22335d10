use super::*;

fn range(text: &str) -> VersionRange {
    text.parse().unwrap_or_else(|wrong| panic!("{text}: {wrong}"))
}

fn version(text: &str) -> Version {
    text.parse().unwrap_or_else(|wrong| panic!("{text}: {wrong}"))
}

#[test]
fn which_versions_a_range_admits() {
    // A row a range; below each version whether it is admitted.
    let versions = ["1.29", "1.32.9", "1.33", "1.33.0", "1.33.4", "1.33.10", "1.34", "1.34.1", "2.0"];
    let table = [
        (">=1.30", "-++++++++"),
        (">=1.33", "--+++++++"),
        (">=1.33.2", "----+++++"),
        (">1.33", "------+++"),
        (">1.32", "--+++++++"),
        (">1.33.2", "----+++++"),
        ("<=1.33", "++++++---"),
        ("<=1.33.4", "+++++----"),
        ("<=1.33.9", "+++++----"),
        ("<1.34", "++++++---"),
        ("<1.33", "++-------"),
        ("<1.33.4", "++++-----"),
        ("1.33", "--++++---"),
        ("=1.33", "--++++---"),
        ("=1.33.4", "----+----"),
        ("1.33.0", "--++-----"),
        (">=1.30 <=1.33.9", "-++++----"),
        ("<1.34 >=1.30", "-+++++---"),
        (">=v1.30,<v1.34", "-+++++---"),
        ("\t>=1.30 ,\n<1.34\r\n", "-+++++---"),
        (">=2.0", "--------+"),
        (">=1.9", "+++++++++"),
        ("<2.0", "++++++++-"),
        (">=1.33.2 <1.33.5", "----+----"),
    ];
    for (text, wanted) in table {
        let range = range(text);
        let admitted = versions.map(|text| if range.admits(version(text)) { '+' } else { '-' });
        assert_eq!(admitted.iter().collect::<String>(), wanted, "{text}");
    }
}

#[test]
fn a_patch_that_a_cluster_does_not_name() {
    let later = |text: &str, cluster: &str| range(text).admits_later_patch(version(cluster));
    assert!(later(">=1.33.2", "1.33"));
    assert!(later("=1.33.4", "1.33"));
    for (text, cluster) in
        [(">=1.33.2", "1.33.1"), (">=1.33.2", "1.34"), (">=1.33.2", "1.32"), (">1.33", "1.33"), ("<1.33", "1.33")]
    {
        assert!(!later(text, cluster), "{text} {cluster}");
    }
}

#[test]
fn what_is_no_range() {
    let table = [
        ("", "the range is empty", ""),
        (" , ", "the range is empty", ""),
        ("banana", "`banana` is no Kubernetes version such as `1.30` or `1.33.4`", "banana"),
        (">=1.30 banana", "`banana` is no Kubernetes version such as `1.30` or `1.33.4`", "banana"),
        (">=1", "`1` is no Kubernetes version such as `1.30` or `1.33.4`", ">=1"),
        ("1.30.1.2", "`1.30.1.2` is no Kubernetes version such as `1.30` or `1.33.4`", "1.30.1.2"),
        ("1.030", "`1.030` is no Kubernetes version such as `1.30` or `1.33.4`", "1.030"),
        ("1.+30", "`1.+30` is no Kubernetes version such as `1.30` or `1.33.4`", "1.+30"),
        ("1.30.", "`1.30.` is no Kubernetes version such as `1.30` or `1.33.4`", "1.30."),
        ("1.30.0-rc.1", "`1.30.0-rc.1` is no Kubernetes version such as `1.30` or `1.33.4`", "1.30.0-rc.1"),
        ("1.30-1.33", "`1.30-1.33` is no Kubernetes version such as `1.30` or `1.33.4`", "1.30-1.33"),
        ("vv1.30", "`vv1.30` is no Kubernetes version such as `1.30` or `1.33.4`", "vv1.30"),
        ("<1.1234567890", "`1.1234567890` has a number that is too large for a version", "<1.1234567890"),
        ("1.30,~>1.31", "`~>` is no operator", "~>1.31"),
        ("^1.30", "`^` is no operator", "^1.30"),
        ("==1.30", "`==` is no operator", "==1.30"),
        ("=>1.30", "`=>` is no operator", "=>1.30"),
        ("!=1.30", "`!=` is no operator", "!=1.30"),
        ("1.30 || 1.32", "`||` is no operator", "||"),
        ("1.30 - 1.32", "`-` is no operator", "-"),
        ("≥1.30", "`≥` is no operator", "≥1.30"),
        (">= 1.30", "`>=` has no version", ">="),
        ("*", "`*` has a wildcard", "*"),
        ("1.x", "`1.x` has a wildcard", "1.x"),
        (">=1.30.*", "`1.30.*` has a wildcard", ">=1.30.*"),
        (">=1.34 <1.30", "no version is both `>=1.34` and `<1.30`", "<1.30"),
        (">1.33, <1.34", "no version is both `>1.33` and `<1.34`", "<1.34"),
        ("1.30 1.31", "no version is both `=1.30` and `=1.31`", "1.31"),
        ("<0.0", "no version is `<0.0`", "<0.0"),
        (">=1.30 >=1.30", "`>=1.30` and `>=1.30` both say where the range begins", ">=1.30"),
        (">=1.30 >1.28", "`>=1.30` and `>1.28` both say where the range begins", ">1.28"),
        (">=1.30 <1.34 <=1.33", "`<1.34` and `<=1.33` both say where the range ends", "<=1.33"),
        ("=1.33 <1.34", "`=1.33` and `<1.34` both say where the range ends", "<1.34"),
    ];
    let pattern = regex_lite::Regex::new(VersionRange::PATTERN).unwrap();
    for (text, message, at) in table {
        let wrong = text.parse::<VersionRange>().unwrap_err();
        assert_eq!(wrong.message, message, "{text}");
        assert_eq!(&text[wrong.at.unwrap_or(0..0)], at, "{text}");
        // An editor knows the form, and nothing of numbers.
        let form = ["no version is", "both say"].iter().all(|words| !message.contains(words));
        assert!(!form || !pattern.is_match(text), "{text}");
    }
}

#[test]
fn ranges_are_written_one_way_and_have_the_form_of_their_schema() {
    let pattern = regex_lite::Regex::new(VersionRange::PATTERN).unwrap();
    for (text, written) in [
        (">=1.16", ">=1.16"),
        (" >=v1.16,\t<1.18.0 ", ">=1.16 <1.18.0"),
        ("1.33", "=1.33"),
        (">0.0 <=999999999.999999999.999999999", ">0.0 <=999999999.999999999.999999999"),
    ] {
        assert!(pattern.is_match(text), "{text}");
        assert_eq!(range(text).to_string(), written);
        assert_eq!(range(written), range(text));
    }
}
