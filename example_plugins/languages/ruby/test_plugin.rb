# Speaks with the plugin as the host does, and looks at what it has done.
require 'json'
require 'minitest/autorun'
require 'open3'
require 'tmpdir'

class PluginTest < Minitest::Test
  PLUGIN = File.expand_path('note_builds.rb', __dir__)

  def setup
    @state = Dir.mktmpdir
  end

  def teardown
    FileUtils.rm_r(@state)
  end

  # What it answers when it is given settings and then an event of a build.
  def answers(settings, build, status)
    data = { build: build, buildStatus: status, url: "https://hydra.test/build/#{build}" }
    event = { id: "e:#{build}", data: data }
    frames = [
      { id: 'i', method: 'initialize', params: { protocol_versions: [1], config: settings } },
      { id: 'e', method: 'event', params: { delivery: { redelivered: false }, event: event } }
    ]
    input = frames.map { |frame| "#{JSON.generate(frame)}\n" }.join
    output, _log, status = Open3.capture3(PLUGIN, stdin_data: input, chdir: @state)
    assert status.success?
    output.lines.map { |line| JSON.parse(line) }
  end

  def test_a_build_is_noted
    assert_equal({}, answers({}, 7, 1)[1]['result'])
    assert_equal "e:7\t7\n", File.read(File.join(@state, 'received.log'))
  end

  def test_a_success_may_be_skipped
    assert_equal 'skipped', answers({ failures_only: true }, 8, 0)[1]['result']['status']
  end

  def test_a_wrong_setting_is_named
    error = answers({ failures_only: 'yes' }, 9, 1)[0]['error']
    assert_equal 422, error['code']
    assert_equal 'settings.failures_only', error['data']['errors'][0]['path']
  end
end
