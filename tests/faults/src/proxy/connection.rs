//! One connection through the proxy: a pipe in each direction.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use headwater_protocol::ApiKey;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::frame::Frame;
use super::rule::{CutAt, CutHow, Direction, Fault, duration_within};
use super::{ProxyState, Settings};
use crate::chance::Chance;

/// The state that both pipes share.
pub(super) struct Connection {
    shared: Arc<ProxyState>,
    /// The number of the connection within the proxy.
    number: u64,
    /// The API of each request without a response, by correlation id. `acks=0` requests get none, so their entries stay
    /// until the end.
    in_flight: Mutex<HashMap<i32, i16>>,
}

/// The reason why frames are no longer passed on.
enum End {
    Cut(CutHow),
    /// One side has ended the connection.
    Gone,
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

impl Connection {
    pub(super) fn new(shared: Arc<ProxyState>, number: u64) -> Self {
        Self {
            shared,
            number,
            in_flight: Mutex::default(),
        }
    }

    /// Passes frames on until one side ends the connection or a fault does.
    pub(super) async fn serve(&self, mut client: TcpStream, mut broker: TcpStream) {
        for stream in [&client, &broker] {
            // Without this, small frames would wait for acknowledgements of earlier ones.
            if stream.set_nodelay(true).is_err() {
                return;
            }
        }
        let end = {
            let (mut from_client, mut to_client) = client.split();
            let (mut from_broker, mut to_broker) = broker.split();
            tokio::select! {
                end = self.pipe(Direction::Request, &mut from_client, &mut to_broker) => end,
                end = self.pipe(Direction::Response, &mut from_broker, &mut to_client) => end,
                () = self.all_are_cut() => End::Cut(CutHow::Reset),
            }
        };
        if let End::Cut(CutHow::Reset) = end {
            for stream in [&client, &broker] {
                // A peer that has ended the connection meanwhile needs no reset.
                let _ = stream.set_zero_linger();
            }
        }
    }

    async fn pipe(
        &self,
        direction: Direction,
        from: &mut (impl AsyncRead + Unpin),
        to: &mut (impl AsyncWrite + Unpin),
    ) -> End {
        let mut settings = self.shared.settings.subscribe();
        for number in 0.. {
            let passed = match Frame::read(from).await {
                Ok(frame) => {
                    self.pass(direction, number, &frame, to, &mut settings)
                        .await
                }
                Err(_) => Err(End::Gone),
            };
            if let Err(end) = passed {
                return end;
            }
        }
        End::Gone
    }

    /// Passes one frame on, with the fault of the first matching rule.
    async fn pass(
        &self,
        direction: Direction,
        number: u64,
        frame: &Frame,
        to: &mut (impl AsyncWrite + Unpin),
        settings: &mut watch::Receiver<Settings>,
    ) -> Result<(), End> {
        let api = self.api_of(direction, frame);
        let mut chance = Chance::of(&[self.shared.seed, self.number, direction as u64, number]);
        let rules = Arc::clone(&settings.borrow_and_update().rules);
        let rule = rules
            .iter()
            .find(|rule| rule.applies(direction, api, &mut chance));
        let (first, second) = frame.halves();
        match rule.map(|rule| &rule.fault) {
            None => {}
            Some(Fault::Delay(range)) => {
                self.shared.count("delay");
                tokio::time::sleep(duration_within(range, &mut chance)).await;
            }
            Some(Fault::Stall(range)) => {
                self.shared.count("stall");
                to.write_all(first).await?;
                tokio::time::sleep(duration_within(range, &mut chance)).await;
                wait_while_held(direction, settings).await;
                to.write_all(second).await?;
                return Ok(());
            }
            Some(Fault::Cut(at, how)) => {
                self.shared.count(name(direction, *at));
                match at {
                    CutAt::Before => {}
                    CutAt::Middle => to.write_all(first).await?,
                    CutAt::After => to.write_all(&frame.0).await?,
                }
                return Err(End::Cut(*how));
            }
            Some(Fault::Repeat) => {
                self.shared.count("repeat");
                to.write_all(&frame.0).await?;
            }
        }
        if settings.borrow_and_update().holds(direction) {
            to.write_all(first).await?;
            wait_while_held(direction, settings).await;
            to.write_all(second).await?;
        } else {
            to.write_all(&frame.0).await?;
        }
        Ok(())
    }

    /// The API of a request, or of the request of a response.
    fn api_of(&self, direction: Direction, frame: &Frame) -> Option<ApiKey> {
        let mut in_flight = self.in_flight.lock();
        let code = match direction {
            Direction::Request => {
                let (code, correlation_id) = frame.of_request()?;
                in_flight.insert(correlation_id, code);
                code
            }
            Direction::Response => in_flight.remove(&frame.of_response()?)?,
        };
        ApiKey::from_code(code)
    }

    async fn all_are_cut(&self) {
        let mut settings = self.shared.settings.subscribe();
        let cuts = settings.borrow_and_update().cuts;
        // The sender lives as long as the proxy, and longer than its connections.
        let _ = settings.wait_for(|settings| settings.cuts > cuts).await;
    }
}

async fn wait_while_held(direction: Direction, settings: &mut watch::Receiver<Settings>) {
    let _ = settings
        .wait_for(|settings| !settings.holds(direction))
        .await;
}

fn name(direction: Direction, at: CutAt) -> &'static str {
    match (direction, at) {
        (Direction::Request, CutAt::Before) => "cut before a request",
        (Direction::Request, CutAt::Middle) => "cut in a request",
        (Direction::Request, CutAt::After) => "cut after a request",
        (Direction::Response, CutAt::Before) => "cut before a response",
        (Direction::Response, CutAt::Middle) => "cut in a response",
        (Direction::Response, CutAt::After) => "cut after a response",
    }
}
