//! Where to serve metrics.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    str::FromStr,
};

/// An address and port; a port alone is on this machine only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen(pub SocketAddr);

impl Listen {
    /// Only this machine's own programs reach it.
    #[must_use]
    pub fn is_local(self) -> bool {
        self.0.ip().is_loopback()
    }
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let port = || Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), text.parse().ok()?));
        text.parse().ok().or_else(port).map(Self).ok_or_else(|| {
            "give a port, such as 9469, or an address and a port, such as 127.0.0.1:9469 or \
             [::1]:9469"
                .to_owned()
        })
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_on_loopback() {
        let listen: Listen = "9469".parse().unwrap();
        assert_eq!(listen.to_string(), "127.0.0.1:9469");
        assert!(listen.is_local());
        assert!("[::1]:9469".parse::<Listen>().unwrap().is_local());
        assert!(!"0.0.0.0:9469".parse::<Listen>().unwrap().is_local());
        for wrong in ["", "localhost", "127.0.0.1", "70000", ":9469"] {
            assert!(wrong.parse::<Listen>().is_err(), "{wrong}");
        }
    }
}
