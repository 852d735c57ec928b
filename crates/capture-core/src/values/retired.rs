//! Retired currency codes: the successor of each, and what became of the money.

/// Retired codes, and what became of the money: `1000 STD became 1 STN`. The ratios are the official ones
/// of the changeover. A code that was retired more than once names what circulates today.
const RETIRED: [(&str, &str, &str, &str); 47] = [
    ("1000", "AFA", "1", "AFN"),
    ("1", "ANG", "1", "XCG"),
    ("13.7603", "ATS", "1", "EUR"),
    ("5000", "AZM", "1", "AZN"),
    ("40.3399", "BEF", "1", "EUR"),
    ("1955.83", "BGL", "1", "EUR"),
    ("1.95583", "BGN", "1", "EUR"),
    ("10000", "BYR", "1", "BYN"),
    ("1", "CSD", "1", "RSD"),
    ("1", "CUC", "24", "CUP"),
    ("0.585274", "CYP", "1", "EUR"),
    ("1.95583", "DEM", "1", "EUR"),
    ("15.6466", "EEK", "1", "EUR"),
    ("166.386", "ESP", "1", "EUR"),
    ("5.94573", "FIM", "1", "EUR"),
    ("6.55957", "FRF", "1", "EUR"),
    ("10000", "GHC", "1", "GHS"),
    ("340.750", "GRD", "1", "EUR"),
    ("7.53450", "HRK", "1", "EUR"),
    ("0.787564", "IEP", "1", "EUR"),
    ("1936.27", "ITL", "1", "EUR"),
    ("3.45280", "LTL", "1", "EUR"),
    ("40.3399", "LUF", "1", "EUR"),
    ("0.702804", "LVL", "1", "EUR"),
    ("5", "MGF", "1", "MGA"),
    ("10", "MRO", "1", "MRU"),
    ("0.429300", "MTL", "1", "EUR"),
    ("1000", "MXP", "1", "MXN"),
    ("1000", "MZM", "1", "MZN"),
    ("2.20371", "NLG", "1", "EUR"),
    ("10000", "PLZ", "1", "PLN"),
    ("200.482", "PTE", "1", "EUR"),
    ("10000", "ROL", "1", "RON"),
    ("1000", "RUR", "1", "RUB"),
    ("100", "SDD", "1", "SDG"),
    ("239.640", "SIT", "1", "EUR"),
    ("30.1260", "SKK", "1", "EUR"),
    ("1000", "SLL", "1", "SLE"),
    ("1000", "SRG", "1", "SRD"),
    ("1000", "STD", "1", "STN"),
    ("5000", "TMM", "1", "TMT"),
    ("1000000", "TRL", "1", "TRY"),
    ("100000000", "VEB", "1", "VES"),
    ("100000", "VEF", "1", "VES"),
    ("1000", "ZMK", "1", "ZMW"),
    ("2498.7242", "ZWL", "1", "ZWG"),
    ("1", "YUM", "1", "RSD"),
];

/// The rule that a retired code breaks, with its successor; `None` for any other code.
pub(super) fn retired(code: &str) -> Option<String> {
    let (old, _, new, successor) = RETIRED.iter().find(|(_, retired, ..)| *retired == code)?;
    Some(match old == new {
        true => format!("was retired; its successor is {successor}, at the same amount"),
        false => format!(
            "was retired; its successor is {successor}, and the amount changes: {old} {code} became \
             {new} {successor}"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Currency;

    #[test]
    fn every_successor_is_active_and_no_retired_code_is() {
        for (old, code, new, successor) in RETIRED {
            assert!(successor.parse::<Currency>().is_ok(), "{successor}");
            let rule = retired(code).unwrap();
            assert_eq!(code.parse::<Currency>().unwrap_err().rule(), rule);
            assert_eq!(rule.contains("the amount changes"), old != new, "{rule}");
        }
    }
}
