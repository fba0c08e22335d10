local lib = import 'lib.libsonnet';
[lib.cluster('two', 'harmless')]
