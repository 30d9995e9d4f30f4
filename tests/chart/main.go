// chart-check CHART NAME [VALUES.yaml]: lints a Helm chart, renders it as `helm template` does, and decodes each
// object strictly into the type of its kind, so that no field can be misspelt or misplaced. Objects go to stdout as a
// JSON array; faults go to stderr, and the exit code is 1.
//
// Helm's own packages are used rather than its command, as that pulls in clients of clusters and registries.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"sort"
	"strings"

	keda "github.com/kedacore/keda/v2/apis/keda/v1alpha1"
	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	"helm.sh/helm/v3/pkg/releaseutil"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"
)

const namespace = "scoring"

// What the chart may make.
var kinds = map[string]func() interface{}{
	"v1/ConfigMap":                            func() interface{} { return new(core.ConfigMap) },
	"v1/Service":                              func() interface{} { return new(core.Service) },
	"v1/ServiceAccount":                       func() interface{} { return new(core.ServiceAccount) },
	"apps/v1/Deployment":                      func() interface{} { return new(apps.Deployment) },
	"apps/v1/StatefulSet":                     func() interface{} { return new(apps.StatefulSet) },
	"policy/v1/PodDisruptionBudget":           func() interface{} { return new(policy.PodDisruptionBudget) },
	"keda.sh/v1alpha1/ScaledObject":           func() interface{} { return new(keda.ScaledObject) },
	"keda.sh/v1alpha1/TriggerAuthentication":  func() interface{} { return new(keda.TriggerAuthentication) },
	"monitoring.coreos.com/v1/ServiceMonitor": func() interface{} { return new(monitoring.ServiceMonitor) },
}

func main() {
	if len(os.Args) < 3 || len(os.Args) > 4 {
		fmt.Fprintln(os.Stderr, "usage: chart-check CHART NAME [VALUES.yaml]")
		os.Exit(2)
	}
	values := map[string]interface{}{}
	if len(os.Args) == 4 {
		text, err := os.ReadFile(os.Args[3])
		fail(err)
		fail(yaml.UnmarshalStrict(text, &values))
	}
	folder := os.Args[1]
	faults := linted(folder, values)
	objects, more := decoded(rendered(folder, os.Args[2], values))
	faults = append(faults, more...)
	if len(faults) > 0 {
		fmt.Fprintln(os.Stderr, strings.Join(faults, "\n"))
		os.Exit(1)
	}
	fail(json.NewEncoder(os.Stdout).Encode(objects))
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// As `helm lint --strict`, but for the advice to have an icon.
func linted(folder string, values map[string]interface{}) []string {
	faults := []string{}
	for _, message := range lint.All(folder, values, namespace, true).Messages {
		if message.Severity >= support.WarningSev {
			faults = append(faults, "lint: "+message.Error())
		}
	}
	return faults
}

func rendered(folder, name string, values map[string]interface{}) map[string]string {
	chart, err := loader.Load(folder)
	fail(err)
	fail(chartutil.ProcessDependencies(chart, values))
	options := chartutil.ReleaseOptions{Name: name, Namespace: namespace, Revision: 1, IsInstall: true}
	all, err := chartutil.ToRenderValues(chart, values, options, chartutil.DefaultCapabilities)
	fail(err)
	files, err := engine.Render(chart, all)
	fail(err)
	return files
}

func decoded(files map[string]string) ([]interface{}, []string) {
	objects, faults := []interface{}{}, []string{}
	names := []string{}
	for name := range files {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		if path.Ext(name) != ".yaml" {
			continue
		}
		for _, text := range sorted(releaseutil.SplitManifests(files[name])) {
			object, err := object(text)
			if err != nil {
				faults = append(faults, name+": "+err.Error())
			} else {
				objects = append(objects, object)
			}
		}
	}
	return objects, faults
}

func sorted(manifests map[string]string) []string {
	keys := []string{}
	for key := range manifests {
		keys = append(keys, key)
	}
	sort.Sort(releaseutil.BySplitManifestsOrder(keys))
	texts := []string{}
	for _, key := range keys {
		texts = append(texts, manifests[key])
	}
	return texts
}

// The object as it was written: the type's own JSON would add empty fields.
func object(text string) (map[string]interface{}, error) {
	var head struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}
	if err := yaml.Unmarshal([]byte(text), &head); err != nil {
		return nil, err
	}
	make, known := kinds[head.APIVersion+"/"+head.Kind]
	if !known {
		return nil, fmt.Errorf("a kind that is not expected: %s/%s", head.APIVersion, head.Kind)
	}
	if err := yaml.UnmarshalStrict([]byte(text), make()); err != nil {
		return nil, err
	}
	written := map[string]interface{}{}
	return written, yaml.UnmarshalStrict([]byte(text), &written)
}
