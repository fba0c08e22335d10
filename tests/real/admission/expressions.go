package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/google/cel-go/cel"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	plugincel "k8s.io/apiserver/pkg/admission/plugin/cel"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/environment"
	"sigs.k8s.io/yaml"
)

// expression is one of a policy, whatever it gives.
type expression struct{ text string }

func (it *expression) GetExpression() string    { return it.text }
func (it *expression) ReturnTypes() []*cel.Type { return []*cel.Type{cel.AnyType} }

// evaluate gives the value of one expression over an object, or why it has none.
func evaluate(text_ string, object *unstructured.Unstructured) (string, error) {
	compiler, err := plugincel.NewCompositedCompiler(environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion()))
	if err != nil {
		return "", err
	}
	condition := compiler.CompileCondition([]plugincel.ExpressionAccessor{&expression{text_}}, plugincel.OptionalVariableDeclarations{HasParams: true}, environment.StoredExpressions)
	kind := object.GroupVersionKind()
	resource := schema.GroupVersionResource{Group: kind.Group, Version: kind.Version, Resource: plural(kind.Kind)}
	attributes := admission.NewAttributesRecord(object, nil, kind, object.GetNamespace(), object.GetName(), resource, "", admission.Create, nil, false, nil)
	versioned := &admission.VersionedAttributes{Attributes: attributes, VersionedObject: admission.NewLazyObject(object), VersionedKind: kind}
	request := plugincel.CreateAdmissionRequest(attributes, requestResource(resource), requestKind(kind))
	results, _, err := condition.ForInput(context.Background(), versioned, request, plugincel.OptionalVariableBindings{}, nil, celconfig.RuntimeCELCostBudget)
	if err != nil {
		return "", err
	}
	if results[0].Error != nil {
		return "", results[0].Error
	}
	return text(results[0].EvalResult), nil
}

// expressions compares each line `EXPRESSION => VALUE` of a table with what Kubernetes gives; a line `| VALUE # REASON` below it is
// what Kubernetes gives instead, and why.
func expressions(table, object string) (int, []string, error) {
	raw, err := os.ReadFile(object)
	if err != nil {
		return 0, nil, err
	}
	subject := &unstructured.Unstructured{}
	asJSON, err := yaml.YAMLToJSON(raw)
	if err == nil {
		err = subject.UnmarshalJSON(asJSON)
	}
	if err != nil {
		return 0, nil, err
	}
	lines, err := os.ReadFile(table)
	if err != nil {
		return 0, nil, err
	}
	var problems []string
	count := 0
	all := strings.Split(string(lines), "\n")
	for at, line := range all {
		expression, expected, found := strings.Cut(line, " => ")
		if !found || strings.HasPrefix(line, "#") {
			continue
		}
		count++
		different := ""
		if at+1 < len(all) {
			if rest, found := strings.CutPrefix(strings.TrimSpace(all[at+1]), "| "); found {
				different, _, _ = strings.Cut(rest, " # ")
				different = strings.TrimSpace(different)
			}
		}
		wanted := strings.TrimSpace(expected)
		if different != "" {
			wanted = different
		}
		actual, fault := evaluate(strings.TrimSpace(expression), subject)
		why := ""
		if fault != nil {
			actual, why = "error", ": "+strings.Join(strings.Fields(fault.Error()), " ")
		}
		if actual != wanted {
			problems = append(problems, fmt.Sprintf("%s:%d: %s: Kubernetes gives %s, not %s%s", table, at+1, strings.TrimSpace(expression), actual, wanted, why))
		} else if different == strings.TrimSpace(expected) {
			problems = append(problems, fmt.Sprintf("%s:%d: no difference", table, at+2))
		}
	}
	return count, problems, nil
}
