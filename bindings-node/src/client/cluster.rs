//! The cluster of a client.

use futures_util::FutureExt as _;
use napi::Env;
use napi_derive::napi;

use super::Client;
use crate::abort::Abort;
use crate::runtime::{Answer, promise};

/// The brokers of a cluster.
#[napi(object, object_from_js = false)]
pub struct ClusterDescription {
    /// The id of the cluster, if the broker has returned one.
    pub cluster_id: Option<String>,
    /// The node id of the controller, if it is known.
    pub controller: Option<i32>,
    /// The brokers, by node id.
    pub brokers: Vec<Broker>,
}

/// A broker of a cluster.
#[napi(object, object_from_js = false)]
pub struct Broker {
    /// Its node id.
    pub node_id: i32,
    /// Its advertised host.
    pub host: String,
    /// Its advertised port.
    pub port: i32,
    /// Its rack, if it has one.
    pub rack: Option<String>,
}

#[napi]
impl Client {
    /// The brokers of the cluster.
    #[napi(catch_unwind, ts_return_type = "Promise<ClusterDescription>")]
    pub fn describe_cluster(&self, env: Env, abort: Option<&Abort>) -> napi::Result<Answer> {
        let admin = self.admin(&env)?;
        let describe = async move { admin.describe_cluster().await };
        promise(
            &env,
            self.embedded.runtime(),
            abort,
            describe,
            |_, cluster| {
                let broker = |broker: headwater::BrokerAddress| Broker {
                    node_id: broker.id,
                    host: broker.host,
                    port: broker.port.into(),
                    rack: broker.rack,
                };
                Ok(ClusterDescription {
                    cluster_id: cluster.cluster_id,
                    controller: cluster.controller,
                    brokers: cluster.brokers.into_iter().map(broker).collect(),
                })
            },
        )
    }

    /// The number of topics of an embedded engine, without waiting; null for a cluster.
    #[napi(catch_unwind)]
    pub fn topic_count(&self) -> Option<u32> {
        let engine = self.embedded.engine();
        engine.deletions()?;
        // The call of an embedded engine waits for nothing, but its timers need the runtime.
        let _runtime = engine.runtime().enter();
        let topics = engine.client().admin().topics(false).now_or_never()?;
        topics.ok().map(|topics| topics.len() as u32)
    }

    /// Whether it is closed.
    #[napi(getter, catch_unwind)]
    pub fn is_closed(&self) -> bool {
        self.embedded.engine().is_closed()
    }

    /// The value of `statistics.interval.ms`.
    #[napi(getter, catch_unwind)]
    pub fn statistics_interval_ms(&self) -> f64 {
        let config = self.embedded.engine().client().config();
        config.statistics_interval.as_secs_f64() * 1e3
    }
}
