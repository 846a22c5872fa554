//! `open()` and `connect()`: an embedded engine in a directory or in memory, and a running cluster.

use std::path::PathBuf;

use napi::Env;
use napi_derive::napi;

use crate::abort::Abort;
use crate::client::Client;
use crate::runtime::{Answer, EngineHandle, blocking};

/// Opens an engine, in a thread, because recovery may take long.
#[napi(catch_unwind, ts_return_type = "Promise<Client>")]
pub fn open(env: Env, path: Option<String>, config: Vec<(String, String)>) -> napi::Result<Answer> {
    let environment = env.raw() as usize;
    let open = move || {
        let engine = headwater::open(path.map(PathBuf::from).as_deref(), config)?;
        Ok(EngineHandle::new(engine, environment))
    };
    blocking(&env, open, |_, embedded| Ok(Client::new(embedded)))
}

/// Connects to a cluster. The promise is fulfilled when a broker has answered.
#[napi(catch_unwind, ts_return_type = "Promise<Client>")]
pub fn connect(
    env: Env,
    bootstrap_servers: String,
    config: Vec<(String, String)>,
    abort: Option<&Abort>,
) -> napi::Result<Answer> {
    let environment = env.raw() as usize;
    let aborted = abort.map(Abort::aborted);
    // Creating it reads certificates, and the engine has the runtime.
    let connect = move || {
        let engine = headwater::connect_on_demand(&bootstrap_servers, config)?;
        let reach = async {
            match aborted {
                None => engine.check_reachable().await.map(|()| true),
                Some(aborted) => tokio::select! {
                    biased;
                    () = aborted => Ok(false),
                    reached = engine.check_reachable() => reached.map(|()| true),
                },
            }
        };
        let reached = engine.block_on(reach)?;
        Ok((EngineHandle::new(engine, environment), reached))
    };
    blocking(&env, connect, |env, (embedded, reached)| {
        if reached {
            Ok(Client::new(embedded))
        } else {
            Err(crate::errors::raise_aborted(env))
        }
    })
}
