//! The cores in a static library without std: with its own panic handler, so that a crate which brings std
//! along, and with it another one, cannot be linked.

#![no_std]
#![forbid(unsafe_code)]

use core::panic::PanicInfo;

use mailwright_core::session::{Session, Transport};
use mailwright_core::value::Instant;
use mailwright_sasl::{MechanismName, Offers};

#[global_allocator]
static HEAP: emballoc::Allocator<65_536> = emballoc::Allocator::new();

#[panic_handler]
fn panic(_info: &PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}

/// Greets an SMTP and a POP3 client; how many octets that takes.
pub fn greet(seed: [u8; 32]) -> usize {
    let Ok(mut smtp) = mailwright_smtp::server::Config::new("mail.example.org") else { return 0 };
    smtp.offers = Offers::new([MechanismName::PLAIN]);
    let pop3 = mailwright_pop3::server::Config::default();
    first_octets(Transport::plain(mailwright_smtp::server::Server::new(smtp, seed)))
        + first_octets(Transport::plain(mailwright_pop3::server::Server::new(pop3, seed)))
}

fn first_octets<P: Session>(mut session: Transport<P>) -> usize {
    session.handle_timeout(Instant::ORIGIN);
    session.transmit().len()
}

/// How many questions a domain takes when the DNS is out of order.
pub fn questions(seed: u64) -> usize {
    use mailwright_mx::{Config, DaneMode, Request, Resolution, UnixMillis, dns::Failure};
    let now = UnixMillis::default();
    let Ok(destination) = "example.org".parse() else { return 0 };
    let mut config = Config::default();
    (config.sts, config.dane) = (true, DaneMode::Opportunistic);
    let mut resolution = Resolution::new(destination, config.into(), seed, now);
    while let Some(Request::Dns(request)) = resolution.poll_request() {
        let _ = resolution.handle_answer(request.id, Failure::ServFail.into(), now);
    }
    resolution.queries()
}
