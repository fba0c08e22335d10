// Command admission compares netloom's policies with Kubernetes' own code for them: the packages of k8s.io/apiserver that a
// cluster's API server evaluates ValidatingAdmissionPolicies with.
//
//	admission NETLOOM REPOSITORY
//
// It evaluates every expression of expressions.txt, and every case of the stock policies and of tests/cases/policy, and compares
// outcomes and messages. What Kubernetes would refuse when a policy is made has to be an error in netloom, and policies that netloom
// renders for a cluster have to compile and to fit the schemas of what they are about.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "admission: name the netloom to run and the repository")
		os.Exit(2)
	}
	netloom, err := filepath.Abs(os.Args[1])
	if err == nil {
		err = all(netloom, os.Args[2])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "admission:", err)
		os.Exit(1)
	}
}

// all runs everything and fails if something differs, or if there was nothing to compare.
func all(netloom, repository string) error {
	here := filepath.Join(repository, "tests/real/admission")
	var problems []string
	count, found, err := expressions(filepath.Join(here, "expressions.txt"), filepath.Join(here, "object.yaml"))
	if err != nil {
		return err
	}
	fmt.Printf("%d expressions\n", count)
	problems = append(problems, found...)
	scratch, err := os.MkdirTemp("", "admission")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	for _, step := range []func(string, string, string) (string, []string, error){stock, cases, rendered} {
		title, found, err := step(netloom, repository, scratch)
		if err != nil {
			return err
		}
		fmt.Println(title)
		problems = append(problems, found...)
	}
	for _, problem := range problems {
		fmt.Println(problem)
	}
	if len(problems) > 0 {
		return fmt.Errorf("%d differences", len(problems))
	}
	return nil
}

// stock compares the stock policies' cases.
func stock(netloom, repository, scratch string) (string, []string, error) {
	it, err := read(filepath.Join(repository, "policies"))
	if err != nil {
		return "", nil, err
	}
	return it.examine("stock policies", netloom, scratch)
}

// cases compares the policies in tests/cases/policy whose cases come out as they expect.
func cases(netloom, repository, scratch string) (string, []string, error) {
	files, err := filepath.Glob(filepath.Join(repository, "tests/cases/policy/*.txt"))
	if err != nil {
		return "", nil, err
	}
	folder := filepath.Join(scratch, "cases")
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return "", nil, err
		}
		if strings.Contains(string(content), "\n$ netloom policy test\n") {
			if err := unpack(folder, string(content)); err != nil {
				return "", nil, err
			}
		}
	}
	it, err := read(filepath.Join(folder, "policies"))
	if err != nil {
		return "", nil, err
	}
	return it.examine("policies of tests/cases/policy", netloom, folder)
}

// unpack writes the input files of a case file.
func unpack(folder, content string) error {
	for _, section := range strings.Split(content, "\n-- ")[1:] {
		name, text, _ := strings.Cut(section, " --\n")
		if name == "exit" {
			return nil
		}
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text+"\n"), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// examine compares a project's cases; a policy that Kubernetes refuses may have no case that netloom gives another outcome than error.
func (it *project) examine(title, netloom, folder string) (string, []string, error) {
	all, err := told(netloom, folder)
	if err != nil {
		return "", nil, err
	}
	count, problems := it.compare(all)
	if len(it.policies) == 0 || count == 0 {
		return "", nil, fmt.Errorf("there are no %s", title)
	}
	for _, test := range it.tests {
		policy := it.policies[test.Metadata.Name]
		if policy == nil {
			continue
		}
		for _, problem := range compile(policy) {
			for _, one := range test.Spec.Cases {
				if ours := all[policy.Name+": "+one.Name].Outcome; ours == "pass" || ours == "fail" {
					problems = append(problems, fmt.Sprintf("Kubernetes refuses %s, and netloom says %s of %s", problem, ours, one.Name))
				}
			}
		}
	}
	return fmt.Sprintf("%d %s with %d cases", len(it.policies), title, count), problems, nil
}

const fleet = `apiVersion: netloom.dev/v1alpha1
kind: Project
metadata: {name: fleet}
spec:
  policies:
%s
`

const declarations = `apiVersion: netloom.dev/v1alpha1
kind: Network
metadata: {name: vpc}
spec:
  aws: {region: us-west-2, zones: [us-west-2a, us-west-2b], topology: private}
---
apiVersion: netloom.dev/v1alpha1
kind: Cluster
metadata: {name: a}
spec:
  network: vpc
  kubernetesVersion: "1.37"
  networking: {weave: {}}
`

// rendered compiles and type-checks what netloom renders for a cluster of the stock policies about Kubernetes' own kinds.
func rendered(netloom, repository, scratch string) (string, []string, error) {
	known, err := openSchemas(filepath.Join(repository, "src/schema/schemas/v1.37.json.gz"))
	if err != nil {
		return "", nil, err
	}
	it, err := read(filepath.Join(repository, "policies"))
	if err != nil {
		return "", nil, err
	}
	folder := filepath.Join(scratch, "rendered-policies")
	selected := ""
	wanted := 0
	for name, policy := range it.policies {
		_, build := policy.Annotations["netloom.dev/build-only"]
		if !build && !strings.HasSuffix(policy.Spec.MatchConstraints.ResourceRules[0].APIGroups[0], "netloom.dev") {
			selected += fmt.Sprintf("  - {policy: %s, enforce: cluster}\n", name)
			wanted++
		}
	}
	for name, text := range map[string]string{"netloom.yaml": fmt.Sprintf(fleet, selected), "declarations/a.yaml": declarations} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(folder, name)), 0o755); err != nil {
			return "", nil, err
		}
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			return "", nil, err
		}
	}
	command := exec.Command(netloom, "render", "--project", folder)
	if output, err := command.CombinedOutput(); err != nil {
		return "", nil, fmt.Errorf("%s: %w\n%s", command, err, output)
	}
	made, err := read(filepath.Join(folder, "rendered/clusters/a/kubernetes/policies"))
	if err != nil {
		return "", nil, err
	}
	var problems []string
	if len(made.policies) != wanted || wanted == 0 {
		problems = append(problems, fmt.Sprintf("%d of %d policies were rendered", len(made.policies), wanted))
	}
	for _, policy := range made.policies {
		problems = append(problems, compile(policy)...)
		problems = append(problems, known.check(policy)...)
	}
	return fmt.Sprintf("%d policies rendered for a cluster", len(made.policies)), problems, nil
}

// plural is the resource of a kind; of CloudFormation's types it is the type itself.
func plural(kind string) string {
	if strings.Contains(kind, "::") {
		return kind
	}
	resource, _ := meta.UnsafeGuessKindToResource(schema.GroupVersionKind{Kind: kind})
	return resource.Resource
}

func requestResource(it schema.GroupVersionResource) metav1.GroupVersionResource {
	return metav1.GroupVersionResource{Group: it.Group, Version: it.Version, Resource: it.Resource}
}

func requestKind(it schema.GroupVersionKind) metav1.GroupVersionKind {
	return metav1.GroupVersionKind{Group: it.Group, Version: it.Version, Kind: it.Kind}
}
