//! The body of a record: JSON, packed, because most of it is the same in every record.

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;

/// What a body may refer to instead of saying it again: the parts of bodies, the commonest last. Never
/// changed: every journal since version 3 is read with it. Other parts would be a second dictionary, with a
/// mark of its own.
const DICTIONARY: &[u8] = include_bytes!("body.dictionary");

/// Before a packed body. The JSON of versions 1 and 2 begins with a brace.
const PACKED: u8 = 1;

/// More than any outcome has; a damaged length must not take the machine's memory.
const LONGEST: usize = 16 << 20;

pub(crate) fn pack(json: &[u8]) -> Vec<u8> {
    let mut packed = vec![PACKED];
    packed.extend(lz4_flex::block::compress_prepend_size_with_dict(json, DICTIONARY));
    packed
}

/// `None` if the bytes are no body.
pub(crate) fn unpack(body: Vec<u8>) -> Option<Vec<u8>> {
    match body.split_first()? {
        (b'{', _) => Some(body),
        (&PACKED, packed) => {
            let (length, block) = lz4_flex::block::uncompressed_size(packed).ok()?;
            if length > LONGEST {
                return None;
            }
            lz4_flex::block::decompress_with_dict(block, length, DICTIONARY).ok()
        }
        _ => None,
    }
}

/// Lets SQL read a body: `json_extract(unpacked(body), '$.outcome')`.
pub(crate) fn teach(connection: &Connection) -> Result<(), rusqlite::Error> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("unpacked", 1, flags, |context| {
        let json = unpack(context.get(0)?).and_then(|json| String::from_utf8(json).ok());
        json.ok_or_else(|| rusqlite::Error::UserFunctionError("a body cannot be read".into()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &[u8] = br#"{"version":2,"outcome":"captured","order_id":"5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81","idempotency_key":"4f8b6e1a-6526-5b4f-9fb1-2de3761a96f4","amount":13494,"currency":"USD","exponent":2,"proof":"reply","earlier_attempts":0,"attempts":[{"operation":"capture","began_ms":1795986479577,"took_ms":12,"phase":"replied","status":200,"request_id":"AMzISyrL4m2ePx0=","finding":"captured","reply_sha1":"9f3caaeee18b9bdc3c30fcc8ab60ea24571d543a"}]}"#;

    #[test]
    fn a_body_comes_back_in_less_room() {
        let packed = pack(JSON);
        assert!(packed.len() * 2 < JSON.len(), "{}", packed.len());
        assert_eq!(unpack(packed).unwrap(), JSON);
        assert_eq!(unpack(JSON.to_vec()).unwrap(), JSON, "as versions 1 and 2 wrote it");
    }

    #[test]
    fn what_is_no_body_is_refused() {
        let packed = pack(JSON);
        let too_long = [&[PACKED, 0, 0, 0, 0xff], &packed[5..]].concat();
        let too_short = [&[PACKED, 0, 0, 0, 0], &packed[5..]].concat();
        let cut = packed[..packed.len() - 9].to_vec();
        let unknown = [&[2], &packed[1..]].concat();
        for body in [Vec::new(), vec![PACKED], too_long, too_short, cut, unknown] {
            assert_eq!(unpack(body.clone()), None, "{body:02x?}");
        }
    }
}
