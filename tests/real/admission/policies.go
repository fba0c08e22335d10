package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	_ "unsafe" // for the name of a function that Kubernetes does not export

	"github.com/google/cel-go/cel"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	jsonserializer "k8s.io/apimachinery/pkg/runtime/serializer/json"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	yamlutil "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/apiserver/pkg/admission"
	plugincel "k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/policy/generic"
	"k8s.io/apiserver/pkg/admission/plugin/policy/matching"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/environment"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/kubernetes/scheme"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"sigs.k8s.io/yaml"
)

// The API server's own: from a policy to what evaluates it.
//
//go:linkname compilePolicy k8s.io/apiserver/pkg/admission/plugin/policy/validating.compilePolicy
func compilePolicy(policy *admissionv1.ValidatingAdmissionPolicy) validating.Validator

// oneCase is a case of a `PolicyTest`.
type oneCase struct {
	Name            string            `json:"name"`
	Object          map[string]any    `json:"object"`
	OldObject       map[string]any    `json:"oldObject"`
	NamespaceLabels map[string]string `json:"namespaceLabels"`
	Params          map[string]any    `json:"params"`
	Expected        string            `json:"expected"`
}

type policyTest struct {
	Metadata metav1.ObjectMeta `json:"metadata"`
	Spec     struct {
		Cases []oneCase `json:"cases"`
	} `json:"spec"`
}

// project is what stands in a folder of policies.
type project struct {
	policies map[string]*admissionv1.ValidatingAdmissionPolicy
	tests    []policyTest
}

// verdict is what comes of a case.
type verdict struct {
	Policy   string   `json:"policy"`
	Case     string   `json:"case"`
	Outcome  string   `json:"outcome"`
	Messages []string `json:"messages"`
}

// read reads the policies and cases of a folder, each policy as strictly as the API server does.
func read(folder string) (*project, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		return nil, err
	}
	it := &project{policies: map[string]*admissionv1.ValidatingAdmissionPolicy{}}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		documents := yamlutil.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
		for {
			document, err := documents.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, err
			}
			if err := it.add(document); err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
		}
	}
	return it, nil
}

func (it *project) add(document []byte) error {
	var kind metav1.TypeMeta
	if err := yaml.Unmarshal(document, &kind); err != nil {
		return err
	}
	switch kind.Kind {
	case "ValidatingAdmissionPolicy":
		policy := &admissionv1.ValidatingAdmissionPolicy{}
		if err := yaml.UnmarshalStrict(document, policy); err != nil {
			return err
		}
		defaults(policy)
		it.policies[policy.Name] = policy
	case "ValidatingAdmissionPolicyBinding":
		return yaml.UnmarshalStrict(document, &admissionv1.ValidatingAdmissionPolicyBinding{})
	case "PolicyTest":
		var test policyTest
		var content map[string]any
		asJSON, err := yaml.YAMLToJSON(document)
		if err == nil {
			err = utiljson.Unmarshal(asJSON, &content) // whole numbers stay whole
		}
		if err == nil {
			err = runtime.DefaultUnstructuredConverter.FromUnstructured(content, &test)
		}
		if err != nil {
			return err
		}
		it.tests = append(it.tests, test)
	}
	return nil
}

// defaults fills in what the API server fills in before it stores a policy.
func defaults(policy *admissionv1.ValidatingAdmissionPolicy) {
	constraints := policy.Spec.MatchConstraints
	if constraints == nil {
		return
	}
	if constraints.NamespaceSelector == nil {
		constraints.NamespaceSelector = &metav1.LabelSelector{}
	}
	if constraints.ObjectSelector == nil {
		constraints.ObjectSelector = &metav1.LabelSelector{}
	}
	if constraints.MatchPolicy == nil {
		equivalent := admissionv1.Equivalent
		constraints.MatchPolicy = &equivalent
	}
	all := admissionv1.AllScopes
	for _, rules := range [][]admissionv1.NamedRuleWithOperations{constraints.ResourceRules, constraints.ExcludeResourceRules} {
		for at := range rules {
			if rules[at].Scope == nil {
				rules[at].Scope = &all
			}
		}
	}
}

// compile compiles every expression as the API server does when a policy is made, for which it has to have the right type.
func compile(policy *admissionv1.ValidatingAdmissionPolicy) []string {
	var problems []string
	compiler, err := plugincel.NewCompositedCompiler(environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion()))
	if err != nil {
		return []string{err.Error()}
	}
	options := plugincel.OptionalVariableDeclarations{HasParams: policy.Spec.ParamKind != nil, HasAuthorizer: true}
	told := plugincel.OptionalVariableDeclarations{HasParams: options.HasParams}
	note := func(where string, result plugincel.CompilationResult) {
		if result.Error != nil {
			problems = append(problems, fmt.Sprintf("%s: %s: %s", policy.Name, where, result.Error.Detail))
		}
	}
	for at, one := range policy.Spec.Variables {
		accessor := &validating.Variable{Name: one.Name, Expression: one.Expression}
		note(fmt.Sprintf("variables[%d]", at), compiler.CompileAndStoreVariable(accessor, options, environment.NewExpressions))
	}
	check := func(where string, at int, accessor plugincel.ExpressionAccessor, options plugincel.OptionalVariableDeclarations) {
		note(fmt.Sprintf("%s[%d]", where, at), compiler.CompileCELExpression(accessor, options, environment.NewExpressions))
	}
	for at, one := range policy.Spec.MatchConditions {
		check("matchConditions", at, &typed{one.Expression, []*cel.Type{cel.BoolType}}, options)
	}
	for at, one := range policy.Spec.Validations {
		check("validations", at, &validating.ValidationCondition{Expression: one.Expression}, options)
		if one.MessageExpression != "" {
			check("messageExpressions", at, &validating.MessageExpressionCondition{MessageExpression: one.MessageExpression}, told)
		}
	}
	for at, one := range policy.Spec.AuditAnnotations {
		check("auditAnnotations", at, &validating.AuditAnnotationCondition{Key: one.Key, ValueExpression: one.ValueExpression}, options)
	}
	return problems
}

// typed is an expression whose type is known.
type typed struct {
	text  string
	types []*cel.Type
}

func (it *typed) GetExpression() string    { return it.text }
func (it *typed) ReturnTypes() []*cel.Type { return it.types }

// run evaluates a case with the API server's own code: what matches the constraints, then the conditions and validations.
func run(policy *admissionv1.ValidatingAdmissionPolicy, one oneCase) (verdict, error) {
	result := verdict{Policy: policy.Name, Case: one.Name}
	object, err := decode(one.Object)
	if err != nil {
		return result, err
	}
	old, err := decode(one.OldObject)
	if err != nil {
		return result, err
	}
	params, err := decode(parameters(policy, one.Params))
	if err != nil {
		return result, err
	}
	kind, metadata, operation := about(one)
	resource := schema.GroupVersionResource{Group: kind.Group, Version: kind.Version, Resource: plural(kind.Kind)}
	attributes := admission.NewAttributesRecord(object, old, kind, metadata.GetNamespace(), metadata.GetName(), resource, "", operation, nil, false, nil)
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: metadata.GetNamespace(), Labels: map[string]string{}}}
	for key, value := range one.NamespaceLabels {
		namespace.Labels[key] = value
	}
	namespace.Labels["kubernetes.io/metadata.name"] = namespace.Name
	interfaces := admission.NewObjectInterfacesFromScheme(scheme.Scheme)
	matcher := generic.NewPolicyMatcher(matching.NewMatcher(lister(namespace), fake.NewSimpleClientset()))
	matches, matched, matchedKind, err := matcher.DefinitionMatches(attributes, interfaces, validating.NewValidatingAdmissionPolicyAccessor(policy))
	if err != nil {
		return result, err
	}
	if !matches {
		result.Outcome = "excluded"
		return result, nil
	}
	if metadata.GetNamespace() == "" || kind.Kind == "Namespace" {
		namespace = nil
	}
	versioned := &admission.VersionedAttributes{Attributes: attributes, VersionedObject: lazy(object), VersionedOldObject: lazy(old), VersionedKind: matchedKind}
	said := compilePolicy(policy).Validate(context.Background(), matched, versioned, params, namespace, celconfig.RuntimeCELCostBudget, nil)
	result.read(said)
	return result, nil
}

func (it *verdict) read(said validating.ValidateResult) {
	it.Outcome = "pass"
	if said.Decisions == nil && said.AuditAnnotations == nil {
		it.Outcome = "excluded"
	}
	var failed, faults []string
	for _, decision := range said.Decisions {
		switch decision.Evaluation {
		case validating.EvalDeny:
			failed = append(failed, decision.Message)
		case validating.EvalError:
			faults = append(faults, decision.Message)
		}
	}
	for _, annotation := range said.AuditAnnotations {
		if annotation.Error != "" {
			faults = append(faults, annotation.Error)
		}
	}
	switch {
	case len(faults) > 0:
		it.Outcome, it.Messages = "error", faults
	case len(failed) > 0:
		it.Outcome, it.Messages = "fail", failed
	}
}

// about gives what a case is about, and what is done to it.
func about(one oneCase) (schema.GroupVersionKind, *unstructured.Unstructured, admission.Operation) {
	content, operation := one.Object, admission.Update
	switch {
	case one.Object == nil:
		content, operation = one.OldObject, admission.Delete
	case one.OldObject == nil:
		operation = admission.Create
	}
	metadata := &unstructured.Unstructured{Object: content}
	return metadata.GroupVersionKind(), metadata, operation
}

// parameters are written without kind in cases.
func parameters(policy *admissionv1.ValidatingAdmissionPolicy, content map[string]any) map[string]any {
	if content == nil || policy.Spec.ParamKind == nil {
		return content
	}
	whole := map[string]any{"apiVersion": policy.Spec.ParamKind.APIVersion, "kind": policy.Spec.ParamKind.Kind}
	for key, value := range content {
		whole[key] = value
	}
	return whole
}

// decode reads an object into its type; what is none of Kubernetes' own, or has fields that its type has not (a Secret that SOPS has
// encrypted), stays as it is.
func decode(content map[string]any) (runtime.Object, error) {
	if content == nil {
		return nil, nil
	}
	whole := &unstructured.Unstructured{Object: content}
	if !scheme.Scheme.Recognizes(whole.GroupVersionKind()) {
		return whole, nil
	}
	raw, err := json.Marshal(content)
	if err != nil {
		return nil, err
	}
	strict := jsonserializer.NewSerializerWithOptions(jsonserializer.DefaultMetaFactory, scheme.Scheme, scheme.Scheme, jsonserializer.SerializerOptions{Strict: true})
	object, _, err := strict.Decode(raw, nil, nil)
	if runtime.IsStrictDecodingError(err) {
		return whole, nil
	}
	return object, err
}

func lister(namespace *corev1.Namespace) corelisters.NamespaceLister {
	indexer := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})
	_ = indexer.Add(namespace)
	return corelisters.NewNamespaceLister(indexer)
}

// told is what netloom says of the cases of a project.
func told(netloom, folder string) (map[string]verdict, error) {
	command := exec.Command(netloom, "policy", "test", "--format", "json")
	command.Dir = folder
	output, err := command.Output()
	var report struct {
		Cases []verdict `json:"cases"`
	}
	if parse := json.Unmarshal(output, &report); parse != nil {
		return nil, fmt.Errorf("%s: %w, %v", command, parse, err)
	}
	all := map[string]verdict{}
	for _, one := range report.Cases {
		all[one.Policy+": "+one.Case] = one
	}
	return all, nil
}

// compare compares what netloom says of a project's cases with what Kubernetes says.
func (it *project) compare(all map[string]verdict) (int, []string) {
	var problems []string
	count := 0
	for _, test := range it.tests {
		policy := it.policies[test.Metadata.Name]
		if policy == nil {
			problems = append(problems, fmt.Sprintf("there is no policy %s", test.Metadata.Name))
			continue
		}
		for _, one := range test.Spec.Cases {
			count++
			name := policy.Name + ": " + one.Name
			ours, found := all[name]
			theirs, err := run(policy, one)
			switch {
			case !found:
				problems = append(problems, name+": netloom did not run it")
			case err != nil:
				problems = append(problems, fmt.Sprintf("%s: %v", name, err))
			case ours.Outcome != theirs.Outcome:
				problems = append(problems, fmt.Sprintf("%s: %s %q, Kubernetes: %s %q", name, ours.Outcome, ours.Messages, theirs.Outcome, theirs.Messages))
			case theirs.Outcome == "fail" && !same(ours.Messages, theirs.Messages):
				problems = append(problems, fmt.Sprintf("%s: says %q, Kubernetes: %q", name, ours.Messages, theirs.Messages))
			}
		}
	}
	return count, problems
}

// same compares messages; where nobody wrote one, netloom quotes the expression in words of its own.
func same(ours, theirs []string) bool {
	if len(ours) != len(theirs) {
		return false
	}
	for at, message := range theirs {
		if expression, found := strings.CutPrefix(message, "failed expression: "); found {
			message = "`" + strings.Join(strings.Fields(expression), " ") + "` is not true"
		}
		if ours[at] != strings.TrimRight(message, ".") {
			return false
		}
	}
	return true
}

func lazy(object runtime.Object) admission.LazyObject {
	if object == nil {
		return admission.LazyObject{}
	}
	return admission.NewLazyObject(object)
}
