//! A web server gets alerts as JSON (POST). Its address may hold a secret, so
//! only the host of it is ever told.

use std::{fmt, io, time::Duration};

use ureq::{
    Agent, Error,
    http::Uri,
    tls::{PemItem, RootCerts, TlsConfig, parse_pem},
};

use super::{Channel, Failure, Message};

/// A server, and what it is told beside the alert.
#[derive(Clone)]
pub struct WebhookOptions {
    /// Where: `https://…` or `http://…`.
    pub url: String,
    /// Headers that go with it, such as `Authorization`.
    pub headers: Vec<(String, String)>,
    /// How long one attempt may take, from the look-up of the name to the end
    /// of the answer.
    pub timeout: Duration,
    /// Certificates of the authorities that are trusted for it (PEM), in place
    /// of those that browsers trust.
    pub authorities: Option<Vec<u8>>,
}

/// Without what may be secret.
impl fmt::Debug for WebhookOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookOptions").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

/// One server.
pub struct Webhook {
    agent: Agent,
    options: WebhookOptions,
    host: String,
}

impl Webhook {
    /// One that can be asked.
    ///
    /// # Errors
    /// Its address or a header is none; the text does not quote them.
    pub fn new(options: WebhookOptions) -> Result<Self, String> {
        let uri: Uri = options
            .url
            .parse()
            .map_err(|_| "its url cannot be read; write https://HOST/PATH".to_owned())?;
        let host = match (uri.scheme_str(), uri.host()) {
            (Some("http" | "https"), Some(host)) if !host.is_empty() => host.to_owned(),
            _ => return Err("its url is no http:// or https:// one".to_owned()),
        };
        for (name, value) in &options.headers {
            let is_name = ureq::http::HeaderName::from_bytes(name.as_bytes()).is_ok();
            if !is_name || ureq::http::HeaderValue::from_str(value).is_err() {
                return Err(format!("its header {name:?} cannot be sent"));
            }
        }
        let tls = TlsConfig::builder();
        let tls = match &options.authorities {
            None => tls,
            Some(pem) => tls.root_certs(authorities(pem)?),
        };
        let agent = Agent::config_builder()
            .tls_config(tls.build())
            .timeout_global(Some(options.timeout))
            // A redirect of a POST is a mistake in the address, and its target
            // may be anybody's.
            .max_redirects(0)
            .http_status_as_error(false)
            .user_agent(concat!("genome-trace/", env!("CARGO_PKG_VERSION")))
            .build()
            .into();
        Ok(Self { agent, options, host })
    }

    fn post(&self, body: &[u8]) -> Result<u16, Error> {
        let mut request =
            self.agent.post(&self.options.url).header("Content-Type", "application/json");
        for (name, value) in &self.options.headers {
            request = request.header(name, value);
        }
        Ok(request.send(body)?.status().as_u16())
    }

    fn words(&self, error: &Error) -> String {
        let host = &self.host;
        match error {
            Error::Timeout(_) => {
                let timeout = self.options.timeout.as_secs_f64();
                format!("{host} did not answer within {timeout} s")
            }
            Error::HostNotFound => format!("there is no host {host}"),
            Error::ConnectionFailed => format!("{host} cannot be reached"),
            // What rustls says of a certificate comes as one of these.
            Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
                format!("{host} is not trusted: {error}")
            }
            Error::Io(error) => format!("{host} cannot be reached: {error}"),
            Error::Rustls(error) => format!("{host} is not trusted: {error}"),
            Error::Protocol(_) => format!("{host} does not speak HTTP"),
            // Others may quote the address.
            _ => format!("nothing could be sent to {host}"),
        }
    }
}

fn authorities(pem: &[u8]) -> Result<RootCerts, String> {
    let mut certificates = Vec::new();
    for item in parse_pem(pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => certificates.push(certificate),
            Ok(_) => {}
            Err(_) => return Err("the file of its ca is no PEM".to_owned()),
        }
    }
    if certificates.is_empty() {
        return Err("the file of its ca has no certificate (PEM)".to_owned());
    }
    Ok(RootCerts::from(certificates))
}

impl Channel for Webhook {
    fn send(&mut self, message: &Message) -> Result<(), Failure> {
        match self.post(&message.json()) {
            Ok(200..=299) => Ok(()),
            // It asks to wait, or has a fault of its own.
            Ok(status @ (408 | 429 | 500..)) => {
                Err(Failure::Passing(format!("{} answered {status}", self.host)))
            }
            Ok(status) => Err(Failure::Lasting(format!(
                "{} answered {status}: correct its url or its headers",
                self.host
            ))),
            Err(error) => Err(Failure::Passing(self.words(&error))),
        }
    }
}
