//! Throttle times of responses.

use headwater_protocol::Response;

use super::FakeCluster;

impl FakeCluster {
    /// Sets the next throttle time, if there is one.
    pub(super) fn throttle(&self, response: &mut Response) {
        let throttle_time_ms = match response {
            Response::Fetch(response) => &mut response.throttle_time_ms,
            Response::Metadata(response) => &mut response.throttle_time_ms,
            Response::Produce(response) => &mut response.throttle_time_ms,
            _ => return,
        };
        if let Some(next) = self.state().throttles_ms.pop_front() {
            *throttle_time_ms = next;
        }
    }
}
