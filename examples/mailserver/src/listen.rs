//! The sockets: opening, accepting, and the end in order.

use core::net::SocketAddr;
use core::time::Duration;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::Failure;
use crate::service::{Listen, Service};
use crate::session::Sessions;
use mailwright_store::engine::{Blobs, Engine};

/// Connections at a time; more wait to be accepted.
const MOST_CONNECTIONS: usize = 1000;

/// A service that is open.
pub(crate) struct Listener {
    pub(crate) service: Service,
    pub(crate) address: SocketAddr,
    socket: TcpListener,
}

impl Listener {
    pub(crate) async fn bind(listen: &Listen) -> Result<Self, Failure> {
        let named = |error: std::io::Error| format!("{} at {}: {error}", listen.service, listen.at);
        let socket = TcpListener::bind(&listen.at).await.map_err(named)?;
        let address = socket.local_addr().map_err(named)?;
        Ok(Self { service: listen.service, address, socket })
    }
}

/// The services while they run.
pub(crate) struct Serving {
    stopping: watch::Sender<bool>,
    accepting: JoinSet<JoinSet<()>>,
}

impl Serving {
    pub(crate) fn start<E: Engine + Blobs>(listeners: Vec<Listener>, sessions: &Arc<Sessions<E>>) -> Self {
        let (stopping, _) = watch::channel(false);
        let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        let mut accepting = JoinSet::new();
        for listener in listeners {
            accepting.spawn(accept(listener, Arc::clone(sessions), Arc::clone(&room), stopping.subscribe()));
        }
        Self { stopping, accepting }
    }

    /// Tells when the server stops.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    /// Stops accepting, asks sessions to end, and drops those that have not after `patience`.
    pub(crate) async fn stop(&mut self, patience: Duration) {
        self.stopping.send_replace(true);
        let end = async {
            while let Some(Ok(mut open)) = self.accepting.join_next().await {
                while open.join_next().await.is_some() {}
            }
        };
        if tokio::time::timeout(patience, end).await.is_err() {
            tracing::warn!("some sessions did not end in time");
        }
    }
}

/// Waits until the server stops.
pub(crate) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // An error means that nobody can say it any more, which is the same.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

/// Accepts until the server stops; gives the sessions that are still open.
async fn accept<E: Engine + Blobs>(
    listener: Listener,
    sessions: Arc<Sessions<E>>,
    room: Arc<Semaphore>,
    stopping: watch::Receiver<bool>,
) -> JoinSet<()> {
    let mut open = JoinSet::new();
    let mut stop = stopping.clone();
    loop {
        let arrival = async {
            let permit = Arc::clone(&room).acquire_owned().await;
            (permit, listener.socket.accept().await)
        };
        tokio::select! {
            () = stopped(&mut stop) => return open,
            Some(_) = open.join_next() => {}
            (permit, accepted) = arrival => match accepted {
                Ok((stream, peer)) => {
                    let (sessions, stopping) = (Arc::clone(&sessions), stopping.clone());
                    open.spawn(async move {
                        sessions.serve(listener.service, stream, peer, stopping).await;
                        drop(permit);
                    });
                }
                // Out of descriptors, for example: others may end meanwhile.
                Err(error) => {
                    tracing::warn!(service = %listener.service, %error, "cannot accept");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
        }
    }
}
