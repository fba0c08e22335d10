//! How a patch merges into the objects that a schema describes.

use serde_json::Value;

use super::{Schemas, reference};

impl Schemas {
    /// Returns how a patch merges into the objects that a definition describes.
    #[must_use]
    pub fn merge(&self, definition: &str) -> Option<Shape<'_>> {
        let (name, _) = self.definitions.get_key_value(definition)?;
        Some(Shape { schemas: self, definition: Some(name), schema: self.definition(name)?, custom: false })
    }

    /// Returns how a patch merges into custom resources, whose definition has this schema.
    #[must_use]
    pub fn merge_custom<'a>(&'a self, schema: &'a Value) -> Shape<'a> {
        Shape { schemas: self, definition: None, schema, custom: true }
    }

    /// Follows a reference, if `schema` is one. Definitions are never references themselves.
    fn resolve<'a>(&'a self, schema: &'a Value) -> Shape<'a> {
        let inline = Shape { schemas: self, definition: None, schema, custom: false };
        reference(schema).and_then(|name| self.merge(name)).unwrap_or(inline)
    }
}

/// The schema of a value, for walking down an object and a patch to it side by side.
#[derive(Clone, Copy)]
pub struct Shape<'a> {
    schemas: &'a Schemas,
    definition: Option<&'a str>,
    schema: &'a Value,
    custom: bool,
}

impl<'a> Shape<'a> {
    /// Returns the name of the definition; what is described in place, as lists and maps are, has none.
    #[must_use]
    pub fn definition(self) -> Option<&'a str> {
        self.definition
    }

    /// Returns a field of an object, or a value of a map.
    #[must_use]
    pub fn field(self, name: &str) -> Option<Field<'a>> {
        let named = self.schema.get("properties").and_then(|fields| fields.get(name));
        let schema = named.or_else(|| self.schema.get("additionalProperties").filter(|values| values.is_object()))?;
        let text = |keyword: &str| schema.get(keyword).and_then(Value::as_str);
        let list_map_keys = schema.get("x-kubernetes-list-map-keys").and_then(Value::as_array);
        if self.custom {
            return Some(self.custom_field(schema));
        }
        Some(Field {
            shape: self.schemas.resolve(schema),
            strategy: Strategy::parse(text("x-kubernetes-patch-strategy").unwrap_or_default()),
            merge_key: text("x-kubernetes-patch-merge-key"),
            list_type: text("x-kubernetes-list-type"),
            list_map_keys: list_map_keys.into_iter().flatten().filter_map(Value::as_str).collect(),
        })
    }

    /// A field of a custom resource. Definitions say what server-side apply does with a list; a merge does the same: lists of type
    /// `map` merge by their keys, those of type `set` as sets of scalars, and all others are replaced.
    fn custom_field(self, schema: &'a Value) -> Field<'a> {
        let keys = schema.get("x-kubernetes-list-map-keys").and_then(Value::as_array);
        let list_map_keys: Vec<&str> = keys.into_iter().flatten().filter_map(Value::as_str).collect();
        let list_type = schema.get("x-kubernetes-list-type").and_then(Value::as_str);
        let of_objects = schema.get("items").and_then(|items| items.get("type")).and_then(Value::as_str) == Some("object");
        let merge = match list_type {
            Some("map") => !list_map_keys.is_empty(),
            Some("set") => !of_objects,
            _ => false,
        };
        Field {
            shape: Shape { schema, ..self },
            strategy: Strategy { merge, ..Strategy::default() },
            merge_key: list_map_keys.first().copied(),
            list_type,
            list_map_keys,
        }
    }

    /// Returns the names of an object's fields; none for what takes any keys.
    pub fn fields(self) -> impl Iterator<Item = &'a str> {
        self.schema.get("properties").and_then(Value::as_object).into_iter().flat_map(|fields| fields.keys().map(String::as_str))
    }

    /// Returns the shape of a list's items.
    #[must_use]
    pub fn items(self) -> Option<Shape<'a>> {
        let items = self.schema.get("items")?;
        Some(if self.custom { Shape { schema: items, ..self } } else { self.schemas.resolve(items) })
    }
}

/// A field, and how a patch merges into it.
pub struct Field<'a> {
    /// What the field holds.
    pub shape: Shape<'a>,
    /// What a strategic merge does with it.
    pub strategy: Strategy,
    /// The field that tells one item of a merged list from another; scalars merge as a set and have none.
    pub merge_key: Option<&'a str>,
    /// `atomic`, `set` or `map`: what a server-side apply does with the list.
    pub list_type: Option<&'a str>,
    /// The fields that together tell one item of a `map` list from another.
    pub list_map_keys: Vec<&'a str>,
}

/// What a strategic merge does with a field. Without any of these, objects merge and lists are replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Strategy {
    /// Items of a list merge by key, or as a set.
    pub merge: bool,
    /// An object is replaced as a whole.
    pub replace: bool,
    /// Fields that the patch does not name are dropped.
    pub retain_keys: bool,
}

impl Strategy {
    fn parse(words: &str) -> Self {
        let has = |word| words.split(',').any(|each| each == word);
        Self { merge: has("merge"), replace: has("replace"), retain_keys: has("retainKeys") }
    }
}
