//! The crates that are published, as `cargo metadata` lists them, so that a new one is covered.

use serde_json::Value;

use crate::command::command;

pub(crate) struct Published {
    pub(crate) name: String,
    /// The oldest compiler that the manifest claims.
    pub(crate) rust_version: String,
    pub(crate) is_library: bool,
}

pub(crate) fn published() -> Result<Vec<Published>, String> {
    let arguments = "metadata --locked --no-deps --format-version 1";
    let output = command("cargo", arguments).output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let metadata: Value =
        serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
    let crates: Vec<Published> = list(&metadata["packages"])
        .filter(|package| package["publish"].is_null()) // `publish = false` is an empty list
        .map(read)
        .collect::<Result<_, _>>()?;
    if crates.is_empty() {
        Err("cargo metadata lists no published crate".into())
    } else {
        Ok(crates)
    }
}

fn read(package: &Value) -> Result<Published, String> {
    let name = package["name"].as_str().ok_or("cargo metadata lists a package without a name")?;
    for key in ["description", "documentation", "license", "readme", "repository", "rust_version"] {
        if package[key].as_str().is_none_or(str::is_empty) {
            let key = key.replace('_', "-");
            return Err(format!("{name}: its Cargo.toml needs {key}, as those of the others have"));
        }
    }
    Ok(Published {
        name: name.to_owned(),
        rust_version: package["rust_version"].as_str().unwrap_or_default().to_owned(),
        is_library: list(&package["targets"])
            .any(|target| list(&target["kind"]).any(|kind| kind == "lib")),
    })
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
