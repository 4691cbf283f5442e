// What withManometer and manometerUpload have in common.

// Where source and program lie: beside the workspace, so that no pattern of the build finds them.
def folder() {
    "${env.WORKSPACE}@tmp/manometer"
}

// Options as the variables that manometer-ci.sh reads.
def variables(Map options) {
    def names = [url: 'MANOMETER_URL', reports: 'MANOMETER_REPORTS', service: 'CI_SERVICE_NAME', binary: 'MANOMETER_BINARY']
    def known = names.findAll { option, name -> options[option] }
    known.collect { option, name -> "${name}=${options[option]}".toString() }
}

def script(String action) {
    def file = "${folder()}/source/integrations/ci/manometer-ci.sh"
    "if [ -f '${file}' ]; then MANOMETER_TOOL_FOLDER='${folder()}' MANOMETER_SOURCE='${folder()}/source' sh '${file}' ${action}; fi".toString()
}

// Fetches Manometer and installs its program; a failure of either is no failure of the build.
def install(Map options) {
    def source = "${folder()}/source"
    withEnv(["MANOMETER_REPOSITORY=${options.repository ?: ''}", "MANOMETER_REF=${options.ref ?: 'main'}"]) {
        sh label: 'manometer fetch', returnStatus: true, script: "rm -rf '${source}'; git clone --quiet --depth 1 --branch \"\$MANOMETER_REF\" \"\$MANOMETER_REPOSITORY\" '${source}'".toString()
    }
    sh label: 'manometer install', returnStatus: true, script: script('install')
}
