// A list of declarations: one network for each environment and region, and the clusters in it.
local environments = {
  dev: { number: 1, regions: ['us-west-2', 'eu-west-1'], clusters: 2, topology: 'public', zones: ['a', 'b'] },
  staging: { number: 2, regions: ['us-west-2', 'eu-west-1'], clusters: 2, topology: 'private', nat: 'single', zones: ['a', 'b', 'c'] },
  prod: { number: 3, regions: ['us-west-2', 'eu-west-1', 'us-east-1'], clusters: 4, topology: 'private', nat: 'perZone', zones: ['a', 'b', 'c'] },
};

local network(env, region, index) = {
  local settings = environments[env],
  apiVersion: 'netloom.dev/v1alpha1',
  kind: 'Network',
  metadata: { name: '%s-%s' % [env, region], labels: { env: env } },
  spec: {
    aws: {
      region: region,
      cidr: '10.%d.0.0/16' % (settings.number * 16 + index),
      zones: [region + zone for zone in settings.zones],
      topology: settings.topology,
      [if settings.topology == 'private' then 'natGateways']: settings.nat,
    },
  },
};

local cluster(env, region, index) = {
  apiVersion: 'netloom.dev/v1alpha1',
  kind: 'Cluster',
  metadata: { name: '%s-%s-%d' % [env, region, index], labels: { env: env, region: region } },
  spec: {
    network: '%s-%s' % [env, region],
    kubernetesVersion: '1.33',
    nodes: { max: 60, kernel: '6.1' },
    networking: { weave: {} },
    dns: { nodeLocalCache: {} },
  },
};

std.flattenArrays([
  local regions = environments[env].regions;
  std.flattenArrays([
    [network(env, regions[at], at)] +
    [cluster(env, regions[at], index) for index in std.range(1, environments[env].clusters)]
    for at in std.range(0, std.length(regions) - 1)
  ])
  for env in ['dev', 'staging', 'prod']
])
