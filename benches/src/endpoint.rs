//! Where the server is, and the certificate to trust there.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

/// One server's two ports. As text it fits on a command line.
pub struct Endpoint {
    pub plain: SocketAddr,
    pub tls: SocketAddr,
    pub certificate: Vec<u8>,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},", self.plain, self.tls)?;
        self.certificate.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Endpoint {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut words = text.trim().splitn(3, ',');
        let mut next = || words.next().ok_or("an endpoint is ADDRESS,ADDRESS,HEXADECIMAL");
        let mut address = || next()?.parse().map_err(|_| "not an address");
        let (plain, tls) = (address()?, address()?);
        let pairs = next()?.as_bytes().chunks(2);
        let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let certificate = pairs.map(byte).collect::<Option<_>>().ok_or("not hexadecimal")?;
        Ok(Self { plain, tls, certificate })
    }
}
