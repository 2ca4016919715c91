//! Client work that spans several events, as pure tasks: [`Login`], [`Deliver`], [`Quit`].
//!
//! A connection runs them: `conn.run(Login::new()).await?`. None of them does I/O, and each takes only the
//! events of its own commands.

mod deliver;
mod login;
mod quit;

pub use self::deliver::{Deliver, DeliverError, Delivery, Outcome, Row, WantContent};
pub use self::login::{Login, LoginError, Welcome};
pub use self::quit::Quit;
