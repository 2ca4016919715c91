//! Greeting, EHLO, HELO, LHLO, STARTTLS.

use mailwright_core::session::LayerError;

use super::*;

fn upgraded(peer: &mut Peer) {
    peer.client.handle_upgrade(Upgraded::Tls(TlsInfo::default()), peer.now);
}

#[test]
fn the_opening_needs_no_call() {
    let mut peer = Peer::new(config());
    assert_eq!(peer.server("220 server.example ESMTP\r\n"), ["Greeting 220 server.example ESMTP"]);
    assert_eq!(peer.said(), "EHLO client.example\r\n");
    assert_eq!(peer.server("250-server.example\r\n250-PIPELINING\r\n250 SIZE 1000\r\n"), ["Ready"]);
    assert!(peer.client.capabilities().pipelining());
    assert_eq!(peer.client.capabilities().size(), Some(Some(1000)));
    assert!(peer.client.is_ready());
}

#[test]
fn r11_a_refusing_greeting_is_answered_with_quit_and_told() {
    for greeting in ["554 5.7.1 no service", "450 later", "521 no mail here"] {
        let mut peer = Peer::new(config());
        let Closed::Greeting(reply) = peer.server_closes(alloc::format!("{greeting}\r\n")) else { panic!() };
        assert_eq!(reply.to_string(), greeting);
        assert_eq!(peer.said(), "QUIT\r\n");
        assert!(peer.client.wants().close);
    }
}

#[test]
fn r11_a_greeting_421_is_not_answered() {
    let mut peer = Peer::new(config());
    assert!(matches!(peer.server_closes("421 busy\r\n"), Closed::Greeting(_)));
    assert_eq!(peer.said(), "");
}

#[test]
fn c3_a_greeting_3yz_is_a_protocol_error() {
    assert!(matches!(
        Peer::new(config()).server_closes("354 what\r\n"),
        Closed::Unexpected(Awaited::Greeting, _)
    ));
}

#[test]
fn c8_ehlo_not_recognised_falls_back_to_helo_without_extensions() {
    for code in ["500", "502"] {
        let mut peer = Peer::new(config());
        peer.server("220 old\r\n");
        let _ = peer.said();
        assert!(peer.server(alloc::format!("{code} what?\r\n")).is_empty());
        assert_eq!(peer.said(), "HELO client.example\r\n");
        // Lines that look like extensions announce nothing after HELO.
        assert_eq!(peer.server("250-old\r\n250 PIPELINING\r\n"), ["Ready"]);
        assert!(peer.client.capabilities().is_empty());
    }
}

#[test]
fn c8_helo_after_504_and_550_only_by_option() {
    for code in ["504", "550"] {
        let mut peer = Peer::new(config());
        peer.server("220 x\r\n");
        assert!(matches!(peer.server_closes(alloc::format!("{code} no\r\n")), Closed::Hello(_)));

        let mut lenient = config();
        lenient.hello_after_504_and_550 = true;
        let mut peer = Peer::new(lenient);
        peer.server("220 x\r\n");
        peer.server(alloc::format!("{code} no\r\n"));
        assert!(peer.said().ends_with("HELO client.example\r\n"));
    }
}

#[test]
fn r11_every_other_refusal_of_ehlo_sends_the_host_elsewhere() {
    for code in ["501", "503", "521", "530", "554", "451"] {
        let mut peer = Peer::new(config());
        peer.server("220 x\r\n");
        let _ = peer.said();
        assert!(matches!(peer.server_closes(alloc::format!("{code} no\r\n")), Closed::Hello(_)), "{code}");
        assert_eq!(peer.said(), "QUIT\r\n");
    }
}

#[test]
fn c8_a_refused_helo_is_not_tried_again() {
    let mut peer = Peer::new(config());
    peer.server("220 x\r\n500 no\r\n");
    assert!(matches!(peer.server_closes("500 no\r\n"), Closed::Hello(_)));
}

#[test]
fn c8_helo_is_not_tried_where_tls_is_required() {
    let mut peer = Peer::new(with_tls(TlsMode::Required));
    peer.server("220 x\r\n");
    assert!(matches!(peer.server_closes("502 no\r\n"), Closed::Hello(_)));
}

#[test]
fn c8_lmtp_says_lhlo_and_has_no_helo() {
    let mut peer = Peer::new(lmtp());
    peer.server("220 x LMTP\r\n");
    assert_eq!(peer.said(), "LHLO client.example\r\n");
    assert!(matches!(peer.server_closes("500 no\r\n"), Closed::Hello(_)));
}

#[test]
fn injection_the_name_in_ehlo_may_be_an_address_literal_and_nothing_else() {
    assert_eq!(Config::new("[192.0.2.1]").unwrap().name(), "[192.0.2.1]");
    for name in ["", "a b", "x\r\nRSET", "x\0", "-x", "münchen.example", "<x>"] {
        assert!(Config::new(name).is_err(), "{name:?}");
    }
}

#[test]
fn c1_after_starttls_everything_is_asked_again() {
    let mut peer = Peer::new(with_tls(TlsMode::Required));
    peer.server("220 x\r\n");
    peer.server("250-x\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n");
    assert_eq!(peer.said(), "EHLO client.example\r\nSTARTTLS\r\n");
    assert!(peer.server("220 go\r\n").is_empty());
    assert_eq!(peer.client.wants(), Wants::upgrade(Layer::Tls));
    upgraded(&mut peer);
    assert!(peer.client.capabilities().is_empty());
    assert_eq!(peer.said(), "EHLO client.example\r\n");
    // What was announced before is not in force, and STARTTLS is not asked for twice.
    assert_eq!(peer.server("250-x\r\n250-STARTTLS\r\n250 SIZE\r\n"), ["Ready"]);
    assert_eq!(peer.said(), "");
    assert!(peer.client.tls().is_some() && !peer.client.capabilities().has_mechanism("PLAIN"));
}

#[test]
fn c1_any_octet_behind_the_reply_to_starttls_is_an_error() {
    for behind in ["2", "\r", "250 x\r\n", "250-injected", "\0"] {
        let mut peer = Peer::new(with_tls(TlsMode::Opportunistic));
        peer.server("220 x\r\n250-x\r\n250 STARTTLS\r\n");
        let closed = peer.server_closes(alloc::format!("220 go\r\n{behind}"));
        assert_eq!(closed, Closed::Injected(Excerpt::new(behind.as_bytes())));
        assert!(peer.client.wants().upgrade.is_none());
    }
}

#[test]
fn c1_an_octet_that_comes_before_the_handshake_is_an_error_too() {
    let mut peer = Peer::new(with_tls(TlsMode::Required));
    peer.server("220 x\r\n250-x\r\n250 STARTTLS\r\n220 go\r\n");
    assert!(matches!(peer.server_closes("2"), Closed::Injected(_)));
}

#[test]
fn c2_required_tls_that_is_not_announced_fails_closed() {
    let mut peer = Peer::new(with_tls(TlsMode::Required));
    peer.server("220 x\r\n");
    let _ = peer.said();
    assert_eq!(peer.server_closes("250-x\r\n250 AUTH PLAIN\r\n"), Closed::TlsNotOffered);
    assert_eq!(peer.said(), "QUIT\r\n");
}

#[test]
fn c2_required_tls_that_is_refused_fails_closed() {
    for code in ["454", "501", "502", "530"] {
        let mut peer = Peer::new(with_tls(TlsMode::Required));
        peer.server("220 x\r\n250-x\r\n250 STARTTLS\r\n");
        assert!(matches!(peer.server_closes(alloc::format!("{code} no\r\n")), Closed::TlsRefused(_)));
    }
}

#[test]
fn c2_opportunistic_tls_goes_on_in_plaintext_and_says_so() {
    let mut peer = Peer::new(with_tls(TlsMode::Opportunistic));
    peer.server("220 x\r\n250-x\r\n250 STARTTLS\r\n");
    assert_eq!(peer.server("454 4.7.0 not now\r\n"), ["TlsDeclined 454 4.7.0 not now", "Ready"]);
    assert!(peer.client.tls().is_none());

    let mut peer = Peer::new(with_tls(TlsMode::Opportunistic));
    peer.server("220 x\r\n");
    assert_eq!(peer.server("250 x\r\n"), ["Ready"]);
}

#[test]
fn c2_no_tls_is_no_tls() {
    let mut peer = Peer::new(with_tls(TlsMode::None));
    peer.server("220 x\r\n");
    assert_eq!(peer.server("250-x\r\n250 STARTTLS\r\n"), ["Ready"]);
}

#[test]
fn c2_a_reply_to_starttls_that_is_neither_220_nor_a_refusal_is_a_protocol_error() {
    for reply in ["250 ok\r\n", "354 go\r\n", "221 x\r\n"] {
        let mut peer = Peer::new(with_tls(TlsMode::Opportunistic));
        peer.server("220 x\r\n250-x\r\n250 STARTTLS\r\n");
        assert!(matches!(peer.server_closes(reply), Closed::Unexpected(Awaited::StartTls, _)), "{reply}");
    }
}

#[test]
fn c2_implicit_tls_comes_before_the_greeting() {
    let mut peer = Peer::new(with_tls(TlsMode::Implicit));
    assert_eq!(peer.client.wants(), Wants::upgrade(Layer::Tls));
    // Nothing is taken before.
    assert!(peer.server("220 plain\r\n").is_empty());
    assert_eq!(&peer.input[..], b"220 plain\r\n");
    peer.input.clear();
    upgraded(&mut peer);
    assert_eq!(peer.said(), "");
    assert_eq!(peer.server("220 x\r\n"), ["Greeting 220 x"]);
    assert_eq!(peer.server("250-x\r\n250 STARTTLS\r\n"), ["Ready"]);
    assert!(peer.client.tls().is_some());
}

#[test]
fn c2_a_failed_handshake_ends_the_session_in_every_mode() {
    for tls in [TlsMode::Opportunistic, TlsMode::Required] {
        let mut peer = Peer::new(with_tls(tls));
        peer.server("220 x\r\n250-x\r\n250 STARTTLS\r\n220 go\r\n");
        let error = LayerError::Tls("bad record".into());
        peer.client.handle_upgrade(Upgraded::Failed(error.clone()), peer.now);
        assert_eq!(peer.closed(), Closed::Layer(error));
    }
}

#[test]
fn a_layer_that_was_not_asked_for_changes_nothing() {
    let mut peer = Peer::ready(config(), &[]);
    upgraded(&mut peer);
    assert!(peer.client.tls().is_none() && peer.client.is_ready());
}
