#!/usr/bin/env ruby
# A plugin in Ruby with its standard library alone: logs each finished build, and keeps a
# list of what it handled.
require 'json'

# From here on the wire is WIRE, and what is printed is log.
WIRE = $stdout.dup
$stdout.reopen($stderr)
[WIRE, $stdout].each { |stream| stream.sync = true }
$stdin.set_encoding('UTF-8')
Encoding.default_external = 'UTF-8'

# Your code goes here. It returns the result, or raises. The secret @token is what a real
# plugin signs in with; never print it.
def handle(event, redelivered)
  data = event['data']
  success = data['buildStatus'].zero?
  return { status: 'skipped', note: 'it succeeded' } if @failures_only && success

  line = "#{event['id']}\t#{[data['build'], *data['dependentIds']].join(' ')}\n"
  File.open('received.log', 'a+') do |received|
    return {} if redelivered && received.each_line.include?(line)

    received.write(line)
  end
  puts "build ended with status #{data['buildStatus']}: #{data['url']}"
  {}
end

def problem(code, message, **data)
  { error: { code: code, message: message, data: data } }
end

def start(params)
  versions = params['protocol_versions']
  return problem(426, 'this plugin speaks version 1', supported: [1]) unless versions.include?(1)

  @failures_only = params.dig('config', 'failures_only') || false
  unless [true, false].include?(@failures_only)
    wrong = { path: 'settings.failures_only', message: 'is not true or false' }
    return problem(422, wrong.values.join(': '), errors: [wrong])
  end
  @token = params.dig('secrets', 'token')
  puts "ready; token: #{@token ? 'given' : 'none'}"
  manifest = { protocol_version: 1, name: 'note_builds', version: '1.0' }
  { result: { **manifest, events: ['build_finished'] } }
end

def answer(method, params)
  case method
  when 'initialize' then start(params)
  when 'event' then { result: handle(params['event'], params['delivery']['redelivered']) }
  when 'shutdown' then { result: {} }
  else problem(-32601, 'no such method')
  end
rescue StandardError => e
  problem(500, e.message)
end

def read(line)
  frame = JSON.parse(line)
  return { id: nil, **problem(-32600, 'this is no frame') } unless frame.is_a?(Hash)

  # Without an id it is a notification: nothing here is worth stopping for.
  { id: frame['id'], **answer(frame['method'], frame['params']) } if frame['id']
rescue JSON::ParserError
  { id: nil, **problem(-32700, 'this is no JSON') }
end

$stdin.each_line do |line|
  line.scrub!
  reply = read(line) unless line.strip.empty?
  WIRE.puts JSON.generate({ jsonrpc: '2.0', **reply }) if reply
end
