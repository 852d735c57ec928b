//! Currencies that were stored: each can be read back, also after it was retired, and only with its own
//! decimals.

use capture_core::{Currency, Money};
use serde_json::json;

/// Every code that was ever listed, by its decimals. Codes may be added, never removed: somebody's
/// ticket holds them.
const EVER_LISTED: [(u8, &str); 4] = [
    (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
    (
        2,
        "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN \
         BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN \
         ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IRR JMD \
         KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR \
         MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB \
         SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY \
         TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG ZWL",
    ),
    (3, "BHD IQD JOD KWD LYD OMR TND"),
    (4, "CLF UYW"),
];

fn stored(code: &str, exponent: u8) -> Result<Money, serde_json::Error> {
    serde_json::from_value(json!({ "amount": 100, "currency": code, "exponent": exponent }))
}

#[test]
fn what_was_ever_listed_can_be_read_back_with_its_own_decimals_only() {
    let listed = |code: &str| EVER_LISTED.iter().any(|(_, codes)| codes.contains(code));
    for (exponent, codes) in EVER_LISTED {
        for code in codes.split(' ') {
            for other in 0..=5 {
                let read = stored(code, other);
                assert_eq!(read.is_ok(), other == exponent, "{code} {other}: {read:?}");
            }
        }
    }
    let letters = || (b'A'..=b'Z').map(char::from);
    for (a, b, c) in
        letters().flat_map(|a| letters().flat_map(move |b| letters().map(move |c| (a, b, c))))
    {
        let code = String::from_iter([a, b, c]);
        assert!(code.parse::<Currency>().is_err() || listed(&code), "add {code} to the list");
    }
}

#[test]
fn what_the_caller_declared_can_be_read_back() {
    for (code, exponent) in [("QQQ", 3), ("MRO", 1), ("GBX", 0), ("GBX", 4)] {
        let currency = stored(code, exponent).unwrap().currency();
        assert_eq!((currency.code(), currency.exponent()), (code, exponent));
        assert!(stored(code, 5).is_err());
    }
    for (code, exponent) in [("XAU", 0), ("XXX", 2), ("usd", 2), ("USD", 3), ("HRK", 0), ("ANG", 0)]
    {
        assert!(stored(code, exponent).is_err(), "{code}");
    }
}
