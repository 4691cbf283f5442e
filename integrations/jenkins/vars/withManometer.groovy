// Runs a block with the program manometer on the PATH, and sends its reports however it ended:
//
//   withManometer(repository: 'https://…/manometer.git', url: 'https://manometer.example.com',
//                 credentialsId: 'manometer-token', reports: '**/junit*.xml') { sh 'manometer exec -- make test' }
//
// An exception of the block stays the outcome of the step; nothing of Manometer replaces it.
def call(Map options, Closure body) {
    def given = options ?: [:]
    def folder = manometer.folder()
    withEnv(manometer.variables(given) + ["PATH+MANOMETER=${folder}/bin", "MANOMETER_TOOL_FOLDER=${folder}"]) {
        manometer.install(given)
        try {
            body()
        } finally {
            manometerUpload(given)
        }
    }
}
