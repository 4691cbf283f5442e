// Sends the reports that match, and what waits in the spool. A server that is away is a warning in the log.
def call(Map options = [:]) {
    def send = {
        withEnv(manometer.variables(options)) {
            sh label: 'manometer upload', returnStatus: true, script: manometer.script('upload')
        }
    }
    if (options.credentialsId) {
        withCredentials([string(credentialsId: options.credentialsId, variable: 'MANOMETER_TOKEN')]) { send() }
    } else {
        send()
    }
}
