//! The grammar, message by message. What the client makes of a server's first message is with the client.

use super::*;

fn first(message: &str) -> Option<ClientFirst<'_>> {
    ClientFirst::parse(message.as_bytes())
}

#[test]
fn a_first_message_is_read_into_its_parts() {
    let message = first("p=tls-exporter,a=k=2Crt,n=ti=3Dm,r=12345678,x=1").unwrap();
    let expected = ClientFirst {
        header: "p=tls-exporter,a=k=2Crt,",
        flag: Flag::Bound("tls-exporter"),
        authzid: Some("k,rt".into()),
        bare: "n=ti=3Dm,r=12345678,x=1",
        name: "ti=m".into(),
        nonce: "12345678",
    };
    assert_eq!(message, expected);
    assert_eq!(first("n,,n=\u{e9},r=12345678").unwrap().name, "\u{e9}");
    assert_eq!(first("y,,n=a,r=12345678").unwrap().flag, Flag::Possible);
}

#[test]
fn a_first_message_with_any_departure_is_refused() {
    for message in [
        "",
        "n",
        "n,",
        "n,,",
        "n=user,r=12345678",
        "n,,n=user",
        "n,,r=12345678,n=user",
        "n,,n=user,r=1234567",
        "n,,n=user,r=1234 678",
        "n,,n=user,r=1234567\u{e9}",
        "n,,n=user,r=12345678,",
        "n,,n=user,,r=12345678",
        "n,,n=,r=12345678",
        "n,,n=us=er,r=12345678",
        "n,,n=us=2cer,r=12345678",
        "n,,n=user=,r=12345678",
        "n,,n=us\0er,r=12345678",
        "n,,m=x,n=user,r=12345678",
        "n,,n=user,r=12345678,m=x",
        "n,,n=user,r=12345678,r=12345678",
        "n,,n=user,r=12345678,x=1,x=1",
        "n,,n=user,r=12345678,x",
        "n,,n=user,r=12345678,x=",
        "n,,n=user,r=12345678,1=x",
        "n,,n=user,r=12345678,xy=z",
        "n,a=,n=user,r=12345678",
        "n,a==,n=user,r=12345678",
        "n,kurt,n=user,r=12345678",
        "N,,n=user,r=12345678",
        "p,,n=user,r=12345678",
        "p=,,n=user,r=12345678",
        "p=tls unique,,n=user,r=12345678",
        " n,,n=user,r=12345678",
        "n,,N=user,r=12345678",
    ] {
        assert_eq!(first(message), None, "{message}");
    }
    assert_eq!(ClientFirst::parse(b"n,,n=us\xff,r=12345678"), None);
}

#[test]
fn a_last_message_ends_with_its_proof() {
    let message = ClientFinal::parse(b"c=biws,r=12345678,x=1,p=AAAA").unwrap();
    assert_eq!((message.binding, message.nonce), ("biws", "12345678"));
    assert_eq!(message.without_proof, "c=biws,r=12345678,x=1");
    assert_eq!(message.proof.expose(), [0; 3]);
    for message in [
        "",
        "p=AAAA",
        "c=biws,r=12345678",
        "c=biws,p=AAAA",
        "r=12345678,c=biws,p=AAAA",
        "c=biws,r=12345678,p=AAAA,x=1",
        "c=biws,r=12345678,p=AAAA,",
        "c=biws,r=12345678,p=AAA",
        "c=biws,r=12345678,p=A===",
        "c=biws,r=12345678,p=AAAA,p=AAAA",
        "c=biws,r=12345678,m=x,p=AAAA",
        "c=biws,r=12345678,c=biws,p=AAAA",
        "c=,r=12345678,p=AAAA",
    ] {
        assert!(ClientFinal::parse(message.as_bytes()).is_none(), "{message}");
    }
}

#[test]
fn names_go_both_ways() {
    for name in ["user", ",", "=", "=2C", "a=b,c", "\u{1f511}"] {
        assert_eq!(decode_name(&encode_name(name)).as_deref(), Some(name));
    }
    assert_eq!(encode_name("a=b,c"), "a=3Db=2Cc");
}
