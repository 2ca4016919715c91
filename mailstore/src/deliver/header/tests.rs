//! Tests of the header filter: the same result however the message is cut.

use super::*;

fn rules() -> HeaderRules {
    let mut rules = HeaderRules::final_delivery();
    rules.authserv_id = Some("mx.example.org".into());
    rules.collect = Some("From".into());
    rules.collect_limit = 64;
    rules
}

fn run(message: &[u8], size: usize) -> (Vec<u8>, Option<Vec<Vec<u8>>>) {
    let mut filter = HeaderFilter::new(rules());
    let mut kept = Vec::new();
    let mut keep = |octets: Bytes| {
        assert!(!octets.is_empty());
        kept.extend_from_slice(&octets);
    };
    for chunk in message.chunks(size) {
        filter.feed(Bytes::copy_from_slice(chunk), &mut keep);
        assert!(filter.held.len() <= MOST_HELD + size);
    }
    filter.finish(&mut keep);
    let collected = filter.collected().map(|values| values.map(<[u8]>::to_vec).collect());
    (kept, collected)
}

/// Filters in every chunk size and gives what stays.
fn kept(message: &[u8]) -> Vec<u8> {
    let whole = run(message, message.len().max(1));
    for size in 1..message.len() {
        assert_eq!(run(message, size), whole, "chunks of {size}");
    }
    whole.0
}

fn stays(message: &[u8]) {
    assert_eq!(kept(message), message, "{}", message.escape_ascii());
}

#[test]
fn foreign_return_paths_go_with_their_continuations() {
    let message = b"Subject: a\r\nReturn-Path: <x@y>\r\n\tfolded\r\n again\r\nRETURN-PATH :<z>\r\nTo: b\r\n\r\nbody\r\n";
    assert_eq!(kept(message), b"Subject: a\r\nTo: b\r\n\r\nbody\r\n");
    assert_eq!(kept(b"Return-Path: <a>\r\n"), b"");
    assert_eq!(kept(b"Return-Path: <a>"), b"");
}

#[test]
fn the_body_is_never_touched() {
    stays(b"Subject: a\r\n\r\nReturn-Path: <x>\r\n\r\nReturn-Path: <y>\r\n");
    stays(b"\r\nReturn-Path: <x>\r\n");
    stays(b"\nReturn-Path: <x>\n");
}

#[test]
fn what_only_looks_alike_stays() {
    stays(b"Return-Path-X: 1\r\nX-Return-Path: 2\r\nReturn-Path 3\r\nReturn-Pat: 4\r\n");
    stays(b"Subject: x\r\n Return-Path: folded\r\n");
    stays(b"Return-Path");
    stays(b"Subject: a\rReturn-Path: x\r\n");
    stays(b"\r");
    stays(b"");
}

#[test]
fn authentication_results_that_claim_to_be_ours_go() {
    for ours in [
        &b"Authentication-Results: mx.example.org; spf=pass\r\n"[..],
        b"authentication-results:MX.Example.ORG;\r\n\tdkim=pass\r\n",
        b"Authentication-Results: (a (nested \\) ) comment)\r\n mx.example.org 1; none\r\n",
        b"Authentication-Results: \"mx.example.org\"; none\r\n",
        b"Authentication-Results: mx.example.org",
    ] {
        let mut message = ours.to_vec();
        assert_eq!(kept(&message), b"", "{}", message.escape_ascii());
        if ours.ends_with(b"\n") {
            message.extend_from_slice(b"To: b\r\n\r\nx");
            assert_eq!(kept(&message), b"To: b\r\n\r\nx");
        }
    }
    for foreign in [
        &b"Authentication-Results: mx.example.com; spf=pass\r\n"[..],
        b"Authentication-Results: mx.example.org.evil.test; spf=pass\r\n",
        b"Authentication-Results:\r\nTo: mx.example.org\r\n",
        b"Authentication-Results: ; mx.example.org\r\n",
    ] {
        stays(foreign);
    }
}

#[cfg(feature = "idna")]
#[test]
fn a_label_and_u_label_of_our_name_are_ours() {
    let mut rules = HeaderRules::default();
    rules.authserv_id = Some("mx.xn--bcher-kva.example".into());
    let mut filter = HeaderFilter::new(rules);
    let mut kept = Vec::new();
    let message = "Authentication-Results: mx.bücher.example; none\r\n\r\n";
    filter.feed(Bytes::from(message), &mut |octets| kept.extend_from_slice(&octets));
    assert_eq!(kept, b"\r\n");
}

#[test]
fn an_authserv_id_hidden_behind_a_long_comment_does_not_stay() {
    let mut message = b"Authentication-Results: (".to_vec();
    message.extend(core::iter::repeat_n(b'x', 5000));
    message.extend_from_slice(b") mx.example.org; spf=pass\r\nTo: b\r\n\r\n");
    for size in [1, 100, 6000] {
        assert_eq!(run(&message, size).0, b"To: b\r\n\r\n");
    }
}

#[test]
fn values_are_collected_up_to_the_limit() {
    let message = b"From: a@b\r\nSubject: From: no\r\nfrom : c@d,\r\n e@f\r\n\r\nFrom: body\r\n";
    for size in 1..message.len() {
        let (kept, collected) = run(message, size);
        assert_eq!(kept, message);
        assert_eq!(collected.unwrap(), [&b" a@b\r\n"[..], b" c@d,\r\n e@f\r\n"]);
    }
    let mut long = b"From: ".to_vec();
    long.extend(core::iter::repeat_n(b'x', 100));
    assert_eq!(run(&long, 7).1, None);
    assert!(run(b"Subject: x\r\n\r\n", 3).1.unwrap().is_empty());
}
