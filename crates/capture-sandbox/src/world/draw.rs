//! Everything that looks random, drawn from a seed, so that every run repeats.

use capture_core::OrderId;

/// The alphabet of the gateway's request ids.
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// A source of ids. The same seed gives the same ids in the same order.
#[derive(Debug, Clone)]
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits, by SplitMix64.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// 0 to 99.
    pub(crate) fn percent(&mut self) -> u8 {
        u8::try_from(self.below(100)).expect("it is below 100")
    }

    /// Less than this, which is not 0; near enough to even for what is drawn here.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn next_wide(&mut self) -> u128 {
        (u128::from(self.next()) << 64) | u128::from(self.next())
    }

    /// A GUID with the version and variant bits of RFC 4122, version 4.
    pub(crate) fn order_id(&mut self) -> OrderId {
        let mut bytes = self.next_wide().to_be_bytes();
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        OrderId::from_bytes(bytes).expect("the version bits are set, so it is not nil")
    }

    /// A bearer token that looks like the service's own: three parts with nothing to read in them.
    pub(crate) fn token(&mut self) -> String {
        let (claims, signature) = (self.next_wide(), self.next_wide());
        format!("eyJhbGciOiJIUzI1NiJ9.{claims:032x}.{signature:032x}")
    }

    pub(crate) fn refresh_token(&mut self) -> String {
        format!("{:032x}", self.next_wide())
    }

    /// A W3C trace id, as the service puts it into its error bodies.
    pub(crate) fn trace_id(&mut self) -> String {
        let (trace, span) = (self.next_wide(), self.next());
        format!("00-{trace:032x}-{span:016x}-01")
    }

    /// A request id as the gateway writes it.
    pub(crate) fn request_id(&mut self) -> String {
        let bits = self.next_wide();
        let letter = |place: u32| char::from(BASE64[(bits >> (6 * place)) as usize & 63]);
        (0..15).map(letter).chain(['=']).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_decides_and_guids_are_well_formed() {
        let (mut one, mut same, mut other) = (Draw::new(7), Draw::new(7), Draw::new(8));
        for _ in 0..100 {
            let order = one.order_id();
            assert_eq!(order, same.order_id());
            assert_ne!(order, other.order_id());
            let text = order.to_string();
            assert_eq!(&text[14..15], "4");
            assert!("89ab".contains(&text[19..20]));
        }
        assert_eq!(one.request_id().len(), 16);
        assert_eq!(one.trace_id().len(), 55);
    }
}
