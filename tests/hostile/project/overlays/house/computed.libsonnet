{
  note:: 'harmless',
  map(name, data):: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: name, namespace: 'default' }, data: data { lib: $.note } },
}
