//! What overlays make objects of, beside manifests: files.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A `ConfigMap` of files, which are taken as they are: nothing in them is an expression.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConfigMapFiles {
    /// Name of the object.
    #[schemars(extend("format" = "dns-name"))]
    pub name: String,
    /// Its namespace.
    #[schemars(extend("format" = "dns-label"))]
    pub namespace: String,
    /// The files: the last part of the path is the key, unless one is given.
    #[schemars(length(min = 1))]
    pub files: Vec<ConfigFile>,
    /// Whether the name ends in a hash of the data, so that pods restart when a file changes. Pods and pod templates in the
    /// namespace that refer to the name follow.
    #[serde(default)]
    pub hash: bool,
    /// Expression: whether it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
}

/// A file of a `ConfigMap`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ConfigFile {
    /// Its path in the overlay's folder, or in another overlay's.
    Path(String),
    /// Its path, and a key.
    Keyed(KeyedFile),
}

/// A file with a key.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyedFile {
    /// Key in the `ConfigMap`.
    pub key: String,
    /// Path in the overlay's folder, or in another overlay's.
    pub path: String,
}

impl ConfigFile {
    /// The path.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            ConfigFile::Path(path) | ConfigFile::Keyed(KeyedFile { path, .. }) => path,
        }
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &str {
        match self {
            ConfigFile::Path(path) => path.rsplit('/').next().unwrap_or_default(),
            ConfigFile::Keyed(KeyedFile { key, .. }) => key,
        }
    }
}
