//! The keys of SASL.

use std::sync::Arc;
use std::time::Duration;

use headwater_client::Result;
use headwater_metadata::config::Layer;

use super::{config_error, tls};
use crate::sasl::{
    Bearer, ClientCredentials, Credentials, Extensions, TokenEndpoint, TokenProvider,
};

const ENDPOINT: &str = "sasl.oauthbearer.token.endpoint.url";
const METHOD: &str = "sasl.oauthbearer.method";
const CLIENT_ID: [&str; 2] = [
    "sasl.oauthbearer.client.credentials.client.id",
    "sasl.oauthbearer.client.id",
];
const CLIENT_SECRET: [&str; 2] = [
    "sasl.oauthbearer.client.credentials.client.secret",
    "sasl.oauthbearer.client.secret",
];

/// The credentials from the keys or from `tokens`. A token must arrive within `timeout`.
pub(super) fn credentials(
    layer: &Layer,
    tokens: Option<Arc<dyn TokenProvider>>,
    timeout: Duration,
) -> Result<Credentials> {
    let mechanism = layer.text("sasl.mechanism");
    if mechanism.is_empty() {
        return Err(config_error(
            "sasl.mechanism is missing: set PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER.",
        ));
    }
    let is_oauth = mechanism == "OAUTHBEARER";
    refuse_keys_of_others(layer, &mechanism, is_oauth)?;
    if is_oauth {
        let tokens = provider(layer, tokens)?;
        let extensions = Extensions::parse(&layer.text("sasl.oauthbearer.extensions"))?;
        return Ok(Credentials::Bearer(Bearer::new(
            tokens, extensions, timeout,
        )));
    }
    if tokens.is_some() {
        return Err(config_error(&format!(
            "oauth_token has no effect with sasl.mechanism={mechanism}: set sasl.mechanism to OAUTHBEARER."
        )));
    }
    for key in ["sasl.username", "sasl.password"] {
        require(layer, key, &mechanism)?;
    }
    Credentials::password(
        &mechanism,
        layer.text("sasl.username"),
        layer.text("sasl.password"),
    )
}

/// Refuses keys of another mechanism: they have no effect, so the configuration must be a mistake.
fn refuse_keys_of_others(layer: &Layer, mechanism: &str, is_oauth: bool) -> Result<()> {
    let is_of_another = |key: &str| {
        if is_oauth {
            key == "sasl.username" || key == "sasl.password"
        } else {
            key.starts_with("sasl.oauthbearer.") || key.starts_with("https.")
        }
    };
    match layer.iter().find(|(key, _)| is_of_another(key)) {
        Some((key, _)) => Err(config_error(&format!(
            "{key} has no effect with sasl.mechanism={mechanism}: leave it out, or change sasl.mechanism."
        ))),
        None => Ok(()),
    }
}

/// The source of tokens: the application's function, or the token endpoint.
fn provider(
    layer: &Layer,
    tokens: Option<Arc<dyn TokenProvider>>,
) -> Result<Arc<dyn TokenProvider>> {
    let method = layer.text(METHOD);
    let has_endpoint = !layer.text(ENDPOINT).is_empty();
    let needs_endpoint = method == "oidc" || (method.is_empty() && tokens.is_none());
    match tokens {
        Some(_) if has_endpoint || needs_endpoint => Err(config_error(&format!(
            "Tokens come from oauth_token or from {ENDPOINT}, not from both: leave one of them out."
        ))),
        Some(tokens) => {
            let unused = layer.iter().find(|(key, _)| is_of_endpoint(key));
            match unused {
                Some((key, _)) => Err(config_error(&format!(
                    "{key} has no effect with oauth_token: leave one of them out."
                ))),
                None => Ok(tokens),
            }
        }
        None if needs_endpoint => endpoint(layer),
        None => Err(config_error(&format!(
            "{METHOD}=default requires the function oauth_token, which is missing: pass it, or set {METHOD}=oidc and {ENDPOINT}."
        ))),
    }
}

fn is_of_endpoint(key: &str) -> bool {
    key.starts_with("https.")
        || (key.starts_with("sasl.oauthbearer.")
            && key != METHOD
            && key != "sasl.oauthbearer.extensions")
}

fn endpoint(layer: &Layer) -> Result<Arc<dyn TokenProvider>> {
    let url = layer.text(ENDPOINT);
    if url.is_empty() {
        return Err(config_error(&format!(
            "OAUTHBEARER needs tokens: pass the function oauth_token, or set {ENDPOINT}, {} and {}.",
            CLIENT_ID[0], CLIENT_SECRET[0]
        )));
    }
    let endpoint = TokenEndpoint::parse(&url, || tls::of_token_endpoint(layer))?;
    if !endpoint.is_https() {
        if let Some((key, _)) = layer.iter().find(|(key, _)| key.starts_with("https.")) {
            return Err(config_error(&format!(
                "{key} has no effect with an http URL in {ENDPOINT}: use an https URL."
            )));
        }
        tracing::warn!(
            "the client secret is sent to the token endpoint unencrypted: use an https URL in {ENDPOINT}"
        );
    }
    Ok(Arc::new(ClientCredentials::new(
        endpoint,
        one_of(layer, CLIENT_ID)?,
        one_of(layer, CLIENT_SECRET)?,
        layer.text("sasl.oauthbearer.scope"),
        layer.boolean("sasl.oauthbearer.header.urlencode"),
    )))
}

/// The value of the key in Kafka's or in librdkafka's spelling.
fn one_of(layer: &Layer, [kafka, librdkafka]: [&str; 2]) -> Result<String> {
    let (one, other) = (layer.text(kafka), layer.text(librdkafka));
    match (one.is_empty(), other.is_empty()) {
        (false, false) => Err(config_error(&format!(
            "{kafka} and {librdkafka} are the same: set only one of them."
        ))),
        (true, true) => Err(config_error(&format!(
            "{kafka} is missing: the token endpoint requires it."
        ))),
        (true, false) => Ok(other),
        (false, true) => Ok(one),
    }
}

fn require(layer: &Layer, key: &str, mechanism: &str) -> Result<()> {
    if layer.text(key).is_empty() {
        return Err(config_error(&format!(
            "{key} is missing: {mechanism} requires it."
        )));
    }
    Ok(())
}
