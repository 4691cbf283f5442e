// A pipeline with the steps of Jenkins that the library uses (sh, withEnv, withCredentials), each of which really runs.
class Steps {
    Map<String, String> environment = new LinkedHashMap<>(System.getenv())
    Map<String, Object> library = [:]

    Object sh(Map options) {
        def process = new ProcessBuilder('sh', '-e', '-c', options.script as String)
        process.environment().putAll(environment)
        process.directory(new File(environment.WORKSPACE)).inheritIO()
        int code = process.start().waitFor()
        if (!options.returnStatus && code != 0) throw new RuntimeException("script returned exit code ${code}")
        options.returnStatus ? code : null
    }

    Object withEnv(List<String> pairs, Closure body) {
        def before = new LinkedHashMap<>(environment)
        pairs.each { pair ->
            def (name, value) = pair.toString().split('=', 2) as List
            // Jenkins puts `PATH+ANYTHING` in front of PATH.
            if (name.startsWith('PATH+')) environment.PATH = "${value}:${environment.PATH}".toString()
            else environment[name] = value
        }
        try { body() } finally { environment = before }
    }

    Object withCredentials(List<Map> bindings, Closure body) {
        withEnv(bindings.collect { "${it.variable}=mano_1".toString() }, body)
    }
}

def steps = new Steps()
def binding = new Binding([
    sh: { options -> steps.sh(options) }, withEnv: { pairs, body -> steps.withEnv(pairs, body) },
    withCredentials: { bindings, body -> steps.withCredentials(bindings, body) }, string: { options -> options },
])
binding.setVariable('env', new Expando() { Object getProperty(String name) { steps.environment[name] } })
def shell = new GroovyShell(binding)
['manometer', 'manometerUpload', 'withManometer'].each { name ->
    def loaded = shell.parse(new File(args[0], "${name}.groovy"))
    binding.setVariable(name, name == 'manometer' ? loaded : { Object... words -> loaded.call(*words) })
}
binding.getVariable('withManometer').call([repository: System.getenv('REPOSITORY'), url: System.getenv('SERVER'),
    credentialsId: 'manometer-token', reports: '**/junit.xml']) { steps.sh(script: System.getenv('BODY')) }
