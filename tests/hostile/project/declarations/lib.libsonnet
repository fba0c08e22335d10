{
  note:: 'harmless',
  cluster(name, note):: {
    apiVersion: 'netloom.dev/v1alpha1',
    kind: 'Cluster',
    metadata: { name: name, labels: { note: note } },
    spec: { network: 'vpc', kubernetesVersion: '1.33', networking: { cni: {} }, podCIDR: '100.112.0.0/12', serviceCIDR: '100.72.0.0/13' },
  },
}
