function(ctx, object) object { metadata+: { annotations+: { computed: 'harmless' } } }
