//! What a WebAssembly module imports, read from its bytes.

/// The imports, each as `module.name`.
pub(crate) fn imports(module: &[u8]) -> Result<Vec<String>, String> {
    let body = module.strip_prefix(b"\0asm\x01\0\0\0").ok_or("not a WebAssembly module")?;
    let mut reader = Reader(body);
    while !reader.0.is_empty() {
        let section = reader.byte()?;
        let mut content = Reader(reader.sized()?);
        if section == 2 {
            return (0..content.number()?).map(|_| content.import()).collect();
        }
    }
    Ok(Vec::new())
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn import(&mut self) -> Result<String, String> {
        let [module, name] = [self.sized()?, self.sized()?].map(String::from_utf8_lossy);
        match self.byte()? {
            0 => drop(self.number()?), // a function: its type
            1 => {
                self.byte()?; // a table: what it holds
                self.limits()?;
            }
            2 => self.limits()?,                         // a memory
            3 | 4 => drop((self.byte()?, self.byte()?)), // a global or a tag: its type
            kind => return Err(format!("import of unknown kind {kind}: {module}.{name}")),
        }
        Ok(format!("{module}.{name}"))
    }

    fn limits(&mut self) -> Result<(), String> {
        let has_maximum = self.byte()? & 1 == 1;
        self.number()?;
        if has_maximum {
            self.number()?;
        }
        Ok(())
    }

    fn sized(&mut self) -> Result<&'a [u8], String> {
        let length = self.number()?;
        let (content, rest) = self.0.split_at_checked(length).ok_or("the module is cut short")?;
        self.0 = rest;
        Ok(content)
    }

    /// A number in LEB128: seven bits a byte, the lowest first.
    fn number(&mut self) -> Result<usize, String> {
        let mut number = 0;
        for shift in (0..35).step_by(7) {
            let byte = self.byte()?;
            number |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err("a number of the module is too long".into())
    }

    fn byte(&mut self) -> Result<u8, String> {
        let (byte, rest) = self.0.split_first().ok_or("the module is cut short")?;
        self.0 = rest;
        Ok(*byte)
    }
}

#[cfg(test)]
mod tests {
    use super::imports;

    const HEAD: &[u8] = b"\0asm\x01\0\0\0";

    #[test]
    fn imports_are_listed() {
        let custom = b"\x00\x03\x01ab"; // skipped
        let section = b"\x02\x1b\x03\x03env\x01f\x00\x85\x01\x03env\x01m\x02\x01\x01\x02\x01a\x01t\x03\x7f\x00";
        let module = [HEAD, custom, section].concat();
        assert_eq!(imports(&module).unwrap(), ["env.f", "env.m", "a.t"]);
    }

    #[test]
    fn a_module_without_the_section_imports_nothing() {
        assert!(imports(HEAD).unwrap().is_empty());
        assert!(imports(&[HEAD, b"\x03\x01\x00"].concat()).unwrap().is_empty());
    }

    #[test]
    fn what_is_no_module_is_an_error() {
        assert!(imports(b"\0asn\x01\0\0\0").is_err());
        assert!(imports(&[HEAD, b"\x02\x05\x01"].concat()).is_err());
        assert!(imports(&[HEAD, b"\x02\x06\x01\x01e\x01f\x09"].concat()).is_err());
    }
}
