package main

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	"k8s.io/apiserver/pkg/cel/openapi/resolver"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/kube-openapi/pkg/validation/spec"
)

// schemas are Kubernetes' own, as netloom embeds them.
type schemas map[string]*spec.Schema

// openSchemas reads a file of src/schema/schemas.
func openSchemas(path string) (schemas, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	raw, err := gzip.NewReader(file)
	if err != nil {
		return nil, err
	}
	var content struct{ Definitions schemas }
	if err := json.NewDecoder(raw).Decode(&content); err != nil {
		return nil, err
	}
	for _, one := range content.Definitions {
		open(one)
	}
	return content.Definitions, nil
}

// open takes away that there are no other properties, which OpenAPI documents of API servers do not say either.
func open(one *spec.Schema) {
	if one.AdditionalProperties != nil && one.AdditionalProperties.Schema == nil {
		one.AdditionalProperties = nil
	}
}

// ResolveSchema implements the API server's interface.
func (it schemas) ResolveSchema(gvk schema.GroupVersionKind) (*spec.Schema, error) {
	for name, one := range it {
		var kinds []schema.GroupVersionKind
		if err := one.Extensions.GetObject("x-kubernetes-group-version-kind", &kinds); err != nil {
			return nil, err
		}
		for _, kind := range kinds {
			if kind == gvk {
				find := func(ref string) (*spec.Schema, bool) {
					found, known := it[strings.TrimPrefix(ref, "#/definitions/")]
					return found, known
				}
				return resolver.PopulateRefs(find, name)
			}
		}
	}
	return nil, fmt.Errorf("%v: %w", gvk, resolver.ErrSchemaNotFound)
}

// check type-checks a policy against the schemas of what it is about, as the API server's controller does.
func (it schemas) check(policy *admissionv1.ValidatingAdmissionPolicy) []string {
	mapper := meta.NewDefaultRESTMapper(nil)
	for kind := range scheme.Scheme.AllKnownTypes() {
		mapper.Add(kind, meta.RESTScopeNamespace)
	}
	checker := validating.TypeChecker{SchemaResolver: it, RestMapper: mapper}
	var problems []string
	for _, warning := range checker.Check(policy) {
		problems = append(problems, fmt.Sprintf("%s: %s: %s", policy.Name, warning.FieldRef, strings.Join(strings.Fields(warning.Warning), " ")))
	}
	return problems
}
